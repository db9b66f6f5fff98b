"""What an operator does with accounts: add, find, enable, disable, remove."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flow2api.domain.account import Account, Capacity, CredentialKind, Credentials, Cure, RestReason, fold_email
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.errors import AccountNotFoundError, ConflictError, UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import Accounts, AccountTrash, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.delete_accounts import take_away
from flow2api.domain.usecases.find_owners import find_owners

LONGEST_NAME = 128
LONGEST_REMARK = 1000
LONGEST_EMAIL = 254

HEAVIEST = 100
LAST_PRIORITY = 1000
MOST_SLOTS = 10_000

_SHORTEST_SESSION_TOKEN = 200
_LONGEST_SESSION_TOKEN = 16_384
_COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")
_KEY = re.compile(r"[\x21-\x7e]+")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_TAG = re.compile(r"[\w.:-]{1,64}")
_WORKSPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account as the operator gives it.

    Attributes:
        session_token: For upstreams with API keys, the key.
        base_url: Where the account is served, as `read_base_url` gives it; None for upstreams that know that themselves.
        proxy: The proxy or the pool that it uses, ``direct`` for none; None for what the option ``proxy`` says. Whether
            there is one of this name is looked at before.
    """

    session_token: Secret
    upstream: str = "flow"
    base_url: str | None = None
    name: str = ""
    email: str | None = None
    remark: str = ""
    capacity: Capacity = field(default_factory=Capacity)
    is_enabled: bool = True
    tags: frozenset[str] = frozenset()
    proxy: str | None = None


class ManageAccounts:
    """Changes to accounts that come from people, not from the upstream. None of them calls the upstream.

    Who does it is told by ``actor``: then the change and its audit entry are one.
    """

    def __init__(
        self,
        accounts: Accounts,
        vault: CredentialVault,
        clock: Clock,
        kinds: CredentialKinds = SESSIONS,
        trash: AccountTrash | None = None,
    ) -> None:
        self._trash = trash
        self._kinds = kinds
        self._accounts = accounts
        self._vault = vault
        self._clock = clock

    async def all(self) -> Sequence[Account]:
        """Every account, in the order of ids."""
        return [account async for batch in self._accounts.load() for account in batch]

    async def find(self, which: str) -> Account:
        """The account with this id, else the only one with this e-mail address or name.

        Raises:
            ConflictError: There is none, or more than one.
        """
        if which.isdecimal():
            account = await self._accounts.get(int(which))
            if account is not None:
                return account
        email = fold_email(which)
        found = [one for one in await self.all() if which == one.name or (one.email is not None and email == one.email)]
        if len(found) != 1:
            many = "More than one account is called" if found else "There is no account"
            raise ConflictError(
                f"{many} {which[:LONGEST_EMAIL]!r}; `flow2api accounts list` shows them with their ids."
            )
        return found[0]

    async def add(self, new: NewAccount, actor: Actor | None = None) -> Account:
        """Store one account; the keeper warms it.

        Raises:
            UnsupportedInputError: The session token or what describes the account cannot be used.
            ConflictError: An account with this session token or e-mail address exists.
        """
        credential = self._kinds.of(new.upstream)
        check_session_token(new.upstream, new.session_token, credential)
        check_has_base_url(new.upstream, credential, new.base_url)
        check_texts(email=new.email, name=new.name, remark=new.remark, tags=new.tags)
        for kind in MediaKind:
            check_limit(kind, new.capacity.of(kind))
        place = (new.upstream, new.base_url)
        if owner := (await find_owners(self._vault, self._accounts, [new.session_token], place)).get(new.session_token):
            raise ConflictError(f"The account {owner} has this {credential.secret} already.")
        account = self._made(new)
        if account.email is not None:
            namesakes = await self._accounts.with_emails([account.email])
            known = [one.id for one in namesakes if one.upstream == account.upstream]
            if known:
                raise ConflictError(
                    f"The account {known[0]} has the address {account.email} already; "
                    f"an import with its address and the new {credential.secret} renews it."
                )
        entry = self._entry(actor, AuditAction.ACCOUNT_ADDED, None, {"email": account.email, "remark": account.remark})
        credentials = Credentials(new.session_token)
        return (await self._accounts.add([(account, credentials)], entry, unless_there=True))[0]

    async def set_enabled(self, account: Account, *, enabled: bool, actor: Actor | None = None) -> Account:
        """Let the operator switch an account on or off; other reasons for rest stay.

        Raises:
            AccountNotFoundError: It is not there any more.
        """
        now = self._clock.now()

        def switched(one: Account) -> Account:
            if enabled:
                return one.cured(Cure.OPERATOR)
            return one if one.rest_of(RestReason.MANUAL) is not None else one.resting(RestReason.MANUAL, now)

        action = AuditAction.ACCOUNT_ENABLED if enabled else AuditAction.ACCOUNT_DISABLED
        entry = self._entry(actor, action, account, {})
        changed = await self._accounts.change(account.id, switched, lambda _: entry)
        if changed is None:
            raise AccountNotFoundError(account.id)
        return changed.after

    async def remove(self, account: Account, actor: Actor | None = None) -> None:
        """Delete the account; it can be brought back for a day, and what it made stays."""
        entry = self._entry(actor, AuditAction.ACCOUNT_REMOVED, account, {"name": account.name, "email": account.email})
        who = "" if actor is None else actor.name
        await take_away(self._accounts, self._trash, account.id, who, self._clock, entry)

    async def secrets_of(self, account: Account) -> Credentials | None:
        """Its secrets, for an export that the operator asked for; None when it was removed meanwhile."""
        return await self._vault.read(account.id)

    def _entry(
        self, actor: Actor | None, action: AuditAction, account: Account | None, details: Mapping[str, object]
    ) -> AuditEntry | None:
        if actor is None:
            return None
        subject = None if account is None else str(account.id)
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)

    def _made(self, new: NewAccount) -> Account:
        now = self._clock.now()
        account = Account(
            id=0,
            upstream=new.upstream,
            name=new.name or (new.email or "").strip(),
            email=None if new.email is None else fold_email(new.email),
            remark=new.remark,
            capacity=new.capacity,
            tags=new.tags,
            proxy=new.proxy,
            base_url=new.base_url,
            created_at=now,
        )
        return account if new.is_enabled else account.resting(RestReason.MANUAL, now)


def read_session_token(text: str) -> Secret:
    """The session token in what an operator pasted; white space around it is no part of it.

    Raises:
        UnsupportedInputError: It is empty, or has characters that no cookie and no key has. The message shows none of it.
    """
    token = text.strip()
    if not token:
        raise UnsupportedInputError("The session token is empty.", param="session_token")
    if not _COOKIE_VALUE.fullmatch(token):
        raise UnsupportedInputError(
            "The session token has blanks, quotes or other characters that do not belong to one; "
            "give the value of the cookie alone, in one line.",
            param="session_token",
        )
    return Secret(token)


def read_api_key(text: str) -> Secret:
    """The API key in what an operator pasted; white space around it is no part of it.

    Raises:
        UnsupportedInputError: It is empty, or has characters that no header takes. The message shows none of it.
    """
    key = text.strip()
    if not key:
        raise UnsupportedInputError("The API key is empty.", param="api_key")
    if not _KEY.fullmatch(key):
        raise UnsupportedInputError(
            "The API key has blanks or other characters that do not belong to one; give the key alone, in one line.",
            param="api_key",
        )
    return Secret(key)


def check_session_token(upstream: str, token: Secret, kind: CredentialKind = CredentialKind.SESSION) -> None:
    """Refuse what cannot be a session token: a short one was cut off while pasting (Flow, 2026-06 era: about 1,000).

    Args:
        kind: Of the upstream; an API key may be short, and need not be a cookie's value.

    Raises:
        UnsupportedInputError: It is too short or too long.
    """
    if upstream == "flow" and len(token) < _SHORTEST_SESSION_TOKEN:
        raise UnsupportedInputError(
            f"The session token has {len(token)} characters; a whole one has {_SHORTEST_SESSION_TOKEN} or more.",
            param="session_token",
        )
    if len(token) > _LONGEST_SESSION_TOKEN:
        raise UnsupportedInputError(
            f"The {kind.secret} has {len(token)} characters; no service makes them longer than {_LONGEST_SESSION_TOKEN}.",
            param=kind.field,
        )


def check_has_base_url(upstream: str, kind: CredentialKind, base_url: str | None) -> None:
    """Refuse an account without the address that it needs, or with one that nobody would look at.

    Raises:
        UnsupportedInputError: It is so.
    """
    if kind.has_base_url and base_url is None:
        raise UnsupportedInputError(f"An account of the upstream {upstream} needs a base URL.", param="base_url")
    if base_url is not None and not kind.has_base_url:
        raise UnsupportedInputError(f"An account of the upstream {upstream} has no base URL.", param="base_url")


def check_texts(*, email: str | None, name: str, remark: str, tags: frozenset[str]) -> None:
    """Refuse words about an account that cannot be right.

    Raises:
        UnsupportedInputError: One is too long or of the wrong form; the message says which.
    """
    if email is not None and not (
        len(email) <= LONGEST_EMAIL and email.isprintable() and _EMAIL.fullmatch(email.strip())
    ):
        raise UnsupportedInputError("The e-mail address is none.", param="email")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise UnsupportedInputError(
            f"The name has more than {LONGEST_NAME} characters, or unprintable ones.", param="name"
        )
    if len(remark) > LONGEST_REMARK or "\0" in remark:
        raise UnsupportedInputError(
            f"The remark has more than {LONGEST_REMARK} characters, or one that no database keeps.", param="remark"
        )
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise UnsupportedInputError("A tag has 1 to 64 letters, digits, or any of `_.:-`.", param="tags")


def check_share(weight: int | None, priority: int | None) -> None:
    """Refuse a weight or a priority that is out of range; None is neither.

    Raises:
        UnsupportedInputError: It is; the message says which.
    """
    if weight is not None and not 1 <= weight <= HEAVIEST:
        raise UnsupportedInputError(f"A weight is a number from 1 to {HEAVIEST}.", param="weight")
    if priority is not None and not 0 <= priority <= LAST_PRIORITY:
        raise UnsupportedInputError(f"A priority is a number from 0 to {LAST_PRIORITY}.", param="priority")


def is_workspace(workspace: str) -> bool:
    """Whether this can be the id of an upstream's project. It becomes part of an address, so nothing else may pass."""
    return _WORKSPACE.fullmatch(workspace) is not None


def check_workspace(workspace: str | None, name: str | None = None) -> None:
    """Refuse what cannot be the id or the name of an upstream's project; None and an empty one leave it to the keeper.

    Raises:
        UnsupportedInputError: It cannot.
    """
    if name and (len(name) > LONGEST_NAME or not name.isprintable()):
        raise UnsupportedInputError(
            f"The project's name has more than {LONGEST_NAME} characters, or unprintable ones.", param="project_name"
        )
    if workspace and not is_workspace(workspace):
        raise UnsupportedInputError(
            "A project's id has 1 to 128 letters, digits, or any of `_.-`, such as a UUID; give none to have one made.",
            param="project_id",
        )


def check_limit(kind: MediaKind, limit: int | None) -> None:
    """Refuse a number of slots that cannot be.

    Raises:
        UnsupportedInputError: It is negative, or greater than any service allows.
    """
    if limit is not None and limit > MOST_SLOTS:
        raise UnsupportedInputError(
            f"The number of {kind} slots is {MOST_SLOTS:,} at most; leave the limit out for no limit.",
            param=f"{kind}_concurrency",
        )
    if limit is not None and limit < 0:
        raise UnsupportedInputError(f"The number of {kind} slots cannot be negative.", param=f"{kind}_concurrency")
