"""What each action is called on pages; an action that is not known here keeps the name that the log has."""

from collections.abc import Mapping
from urllib.parse import quote

from flow2api.adapters.console.language import gettext
from flow2api.domain.audit import AuditAction


def action_words() -> Mapping[str, str]:
    """Words for every action that this version writes."""
    return {
        AuditAction.SIGNED_IN: gettext("Signed in"),
        AuditAction.SIGN_IN_REFUSED: gettext("Sign-in refused"),
        AuditAction.SIGN_IN_PUT_OFF: gettext("Sign-in put off after too many tries"),
        AuditAction.SIGNED_OUT: gettext("Signed out"),
        AuditAction.OPERATOR_CREATED: gettext("Operator added"),
        AuditAction.SETUP_REFUSED: gettext("Setup refused"),
        AuditAction.SETUP_CODE_MADE: gettext("Setup code made"),
        AuditAction.CODE_ASKED: gettext("Code of the authenticator asked for"),
        AuditAction.SECOND_FACTOR_ADDED: gettext("Second factor added"),
        AuditAction.SECOND_FACTOR_REMOVED: gettext("Second factor removed"),
        AuditAction.RECOVERY_CODES_RENEWED: gettext("Recovery codes renewed"),
        AuditAction.RECOVERY_CODE_USED: gettext("Recovery code used"),
        AuditAction.PREFERENCES_CHANGED: gettext("Preferences changed"),
        AuditAction.SESSION_ENDED: gettext("Session ended"),
        AuditAction.SESSIONS_ENDED: gettext("Sessions ended"),
        AuditAction.OPERATOR_REMOVED: gettext("Operator removed"),
        AuditAction.ROLE_CHANGED: gettext("Role changed"),
        AuditAction.PASSPHRASE_CHANGED: gettext("Passphrase changed"),
        AuditAction.ACCOUNT_ADDED: gettext("Account added"),
        AuditAction.ACCOUNT_CHANGED: gettext("Account changed"),
        AuditAction.ACCOUNT_ENABLED: gettext("Account enabled"),
        AuditAction.ACCOUNT_DISABLED: gettext("Account paused"),
        AuditAction.ACCOUNT_REMOVED: gettext("Account deleted"),
        AuditAction.ACCOUNT_RESTORED: gettext("Deleted account brought back"),
        AuditAction.CREDITS_ASKED: gettext("Credits asked for"),
        AuditAction.RENEWAL_ASKED: gettext("Access token renewed"),
        AuditAction.ACCOUNTS_IMPORTED: gettext("Accounts imported"),
        AuditAction.ACCOUNTS_EXPORTED: gettext("Accounts exported"),
        AuditAction.SECRETS_REVEALED: gettext("Secrets revealed"),
        AuditAction.SESSION_EXCHANGED: gettext("Session token exchanged"),
        AuditAction.KEY_CREATED: gettext("Key created"),
        AuditAction.KEY_CHANGED: gettext("Key changed"),
        AuditAction.KEY_REVOKED: gettext("Key revoked"),
        AuditAction.OPTIONS_CHANGED: gettext("Options changed"),
        AuditAction.REQUEST_LOG_CLEARED: gettext("Request log cleared"),
        AuditAction.CONNECTION_TOKEN_MADE: gettext("Connection token made"),
        AuditAction.CONNECTION_TOKEN_REVOKED: gettext("Connection token revoked"),
        AuditAction.PROXY_ADDED: gettext("Proxy added"),
        AuditAction.PROXY_CHANGED: gettext("Proxy changed"),
        AuditAction.PROXY_REMOVED: gettext("Proxy removed"),
        AuditAction.PROXY_CHECKED: gettext("Proxy checked"),
        AuditAction.PROXY_ASSIGNED: gettext("Proxy assigned"),
        AuditAction.NOTIFY_TARGET_ADDED: gettext("Notification target added"),
        AuditAction.NOTIFY_TARGET_REMOVED: gettext("Notification target removed"),
        AuditAction.ACCOUNT_TESTED: gettext("Account tested"),
        AuditAction.PLAYGROUND_RUN: gettext("Made in the playground"),
        AuditAction.PLAYGROUND_CANCELLED: gettext("Cancelled in the playground"),
        AuditAction.GENERATION_CANCELLED: gettext("Generation cancelled"),
        AuditAction.GENERATION_REPEATED: gettext("Generation repeated"),
        AuditAction.MEDIA_DELETED: gettext("Media deleted"),
        AuditAction.WEBHOOK_ADDED: gettext("Webhook added"),
        AuditAction.WEBHOOK_CHANGED: gettext("Webhook changed"),
        AuditAction.WEBHOOK_REMOVED: gettext("Webhook removed"),
        AuditAction.SERVER_DRAINED: gettext("Server drained"),
        AuditAction.SERVER_REOPENED: gettext("Server takes work again"),
        AuditAction.DATABASE_BACKED_UP: gettext("Database backed up"),
        AuditAction.BUNDLE_TAKEN: gettext("Support bundle taken"),
    }


def subject_path(action: str, subject: str | None) -> str:
    """The page about what something was done to; empty where there is none."""
    kind = action.partition(".")[0]
    if kind == "generation" and subject:
        return f"/console/generations/{quote(subject, safe='')}"
    area = _AREAS.get(kind, "")
    is_number = subject is not None and subject.isascii() and subject.isdecimal()
    return f"/console/{area}/{subject}" if area and is_number else ""


_AREAS = {"account": "accounts", "key": "keys"}
