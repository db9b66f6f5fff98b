"""Who changed what: one entry for everything that an operator does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class AuditAction(StrEnum):
    """What was done, as the log names it."""

    SIGNED_IN = "operator.signed_in"
    SIGN_IN_REFUSED = "operator.sign_in_refused"
    SIGN_IN_PUT_OFF = "operator.sign_in_put_off"
    SIGNED_OUT = "operator.signed_out"
    OPERATOR_CREATED = "operator.created"
    SETUP_REFUSED = "operator.setup_refused"
    SETUP_CODE_MADE = "operator.setup_code_made"
    CODE_ASKED = "operator.code_asked"
    SECOND_FACTOR_ADDED = "operator.second_factor_added"
    SECOND_FACTOR_REMOVED = "operator.second_factor_removed"
    RECOVERY_CODES_RENEWED = "operator.recovery_codes_renewed"
    RECOVERY_CODE_USED = "operator.recovery_code_used"
    PREFERENCES_CHANGED = "operator.preferences_changed"
    SESSION_ENDED = "operator.session_ended"
    SESSIONS_ENDED = "operator.sessions_ended"
    OPERATOR_REMOVED = "operator.removed"
    ROLE_CHANGED = "operator.role_changed"
    PASSPHRASE_CHANGED = "operator.passphrase_changed"  # noqa: S105 - the name of what was done
    ACCOUNT_ADDED = "account.added"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_ENABLED = "account.enabled"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_REMOVED = "account.removed"
    ACCOUNT_RESTORED = "account.restored"
    CREDITS_ASKED = "account.credits_asked"
    RENEWAL_ASKED = "account.renewal_asked"
    ACCOUNT_TESTED = "account.tested"
    ACCOUNTS_IMPORTED = "account.imported"
    ACCOUNTS_EXPORTED = "account.exported"
    SECRETS_REVEALED = "account.secrets_revealed"
    SESSION_EXCHANGED = "account.session_exchanged"
    KEY_CREATED = "key.created"
    KEY_CHANGED = "key.changed"
    KEY_REVOKED = "key.revoked"
    OPTIONS_CHANGED = "options.changed"
    REQUEST_LOG_CLEARED = "request_log.cleared"
    CONNECTION_TOKEN_MADE = "connection_token.made"  # noqa: S105
    PLAYGROUND_RUN = "playground.run"
    PLAYGROUND_CANCELLED = "playground.cancelled"
    PROXY_ADDED = "proxy.added"
    PROXY_CHANGED = "proxy.changed"
    PROXY_REMOVED = "proxy.removed"
    PROXY_CHECKED = "proxy.checked"
    PROXY_ASSIGNED = "account.proxy_assigned"
    CONNECTION_TOKEN_REVOKED = "connection_token.revoked"  # noqa: S105
    NOTIFY_TARGET_ADDED = "notify_target.added"
    NOTIFY_TARGET_REMOVED = "notify_target.removed"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_REMOVED = "webhook.removed"
    SERVER_DRAINED = "server.drained"
    SERVER_REOPENED = "server.reopened"
    DATABASE_BACKED_UP = "server.backed_up"
    BUNDLE_TAKEN = "server.support_bundle_taken"
    GENERATION_CANCELLED = "generation.cancelled"
    GENERATION_REPEATED = "generation.repeated"
    MEDIA_DELETED = "media.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, and from where.

    Attributes:
        name: The operator's name, or who was signed in on the server's machine.
        operator_id: None when it was nobody who signed in here.
        door: The way that it came: ``admin_api``, ``command_line``, ``console``.
        address: Where the request came from; None for the server's own machine.
        request_id: The id by which the log is searched; None outside requests.
    """

    name: str
    door: str
    operator_id: int | None = None
    address: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done. It holds no secret and no prompt, and is never changed.

    Attributes:
        number: Its place in the log; 0 until it is written.
        subject: The id or name of what it was done to. None in an entry that goes along with what makes a single
            new thing: the repository fills in the id.
        details: What else there is to know, as JSON can say it; for a change ``before`` and ``after`` by field.
    """

    at: datetime
    actor: Actor
    action: str
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0

    @property
    def thing(self) -> tuple[str, str | None]:
        """What it was done to: its kind, as the action begins, and its subject."""
        return self.action.partition(".")[0], self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are looked for; None looks for all.

    Attributes:
        action: What the action begins with, such as ``account`` or ``operator.sign_in_refused``.
        actor: The name of who did it, spelt as it stands there.
        subject: The id or name of what it was done to.
        named: What else is found with the ``subject``, as `AuditEntry.thing` has it: what is called so.
        since: From this moment on.
        until: Before this moment.
    """

    action: str | None = None
    actor: str | None = None
    subject: str | None = None
    named: frozenset[tuple[str, str | None]] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that differ, as the details of an entry: ``{"before": {...}, "after": {...}}``."""
    names = [name for name in after if name not in before or before[name] != after[name]]
    return {
        "before": {name: before.get(name) for name in names},
        "after": {name: after[name] for name in names},
    }
