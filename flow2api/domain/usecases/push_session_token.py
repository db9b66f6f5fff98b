"""Takes in the session tokens that the operator's browser extension hands over."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flow2api.domain.account import Account, Credentials, Cure, RestReason, fold_email
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import CredentialRevokedError, UpstreamInvalidError, UpstreamTimeoutError
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Accounts, Changed, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Exchanged, Upstream
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.find_owners import find_owners
from flow2api.domain.usecases.manage_accounts import check_session_token, read_session_token
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts

UPSTREAM = "flow"
"""The only service whose cookie the extension knows (Flow, 2026-06 era)."""

TIMEOUT_S = 60.0
DEAD_FOR = timedelta(hours=24)

_AT_ONCE = 500
_DEAD_HELD = 4096
_PURPOSE = "pushed_session_token"
_IS_DEAD = "The service refuses this session token; sign in again in the browser."


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of a push.

    Attributes:
        is_new: The account was not there before.
        was_known: The account had this very session token already, so nobody was asked.
        was_enabled: The operator had switched the account off, and the push has switched it on again.
    """

    account: Account
    is_new: bool = False
    was_known: bool = False
    was_enabled: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an account wants a new session token.

    Attributes:
        needs_session_token: Its session has ended; nothing but a push or an import cures it.
        access_expires_at: When its access token ends; None when it has none.
    """

    account: Account
    needs_session_token: bool
    access_expires_at: datetime | None


class PushSessionToken:
    """Exchanges a pushed session token, to learn whose it is, and gives it to that account.

    However often the same token comes, it is exchanged once; one that the service has refused is refused from memory
    for a day. Exchanges begin at the pace of the keeper's, and a push takes a minute at most.
    """

    def __init__(
        self,
        pool: AccountPool,
        upstreams: Mapping[str, Upstream],
        accounts: Accounts,
        vault: CredentialVault,
        cipher: Cipher,
        credentials: RenewCredentials,
        tend: TendAccounts,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._pool = pool
        self._upstreams = upstreams
        self._accounts = accounts
        self._vault = vault
        self._cipher = cipher
        self._credentials = credentials
        self._tend = tend
        self._clock = clock
        self._options = options
        self._dead: OrderedDict[bytes, datetime] = OrderedDict()
        self._running: dict[bytes, asyncio.Task[Pushed]] = {}
        self._turn = asyncio.Lock()
        self._storing = asyncio.Lock()

    async def __call__(self, text: str, actor: Actor) -> Pushed:
        """Take in a session token; who else pushes the same one meanwhile gets the same answer.

        Args:
            actor: Who pushes it; what that changes and its audit entry are one.

        Raises:
            UnsupportedInputError: It cannot be a session token.
            CredentialRevokedError: The service refuses it.
            UpstreamError: The service could not be asked, or did not tell whose it is; a later push may do better.
        """
        token = read_session_token(text)
        check_session_token(UPSTREAM, token)
        digest = self._cipher.digest(token, purpose=_PURPOSE)
        if self._is_dead(digest):
            raise CredentialRevokedError(_IS_DEAD)
        task = self._running.get(digest)
        if task is None:
            task = asyncio.create_task(self._push(token, digest, actor), name="push-session-token")
            self._running[digest] = task
            task.add_done_callback(lambda done: self._pushed(digest, done))
        return await asyncio.shield(task)

    async def check(self) -> AsyncIterator[Standing]:
        """How every account that the extension can help stands, those that need it first; in steps that hold up nobody."""
        others: list[Account] = []
        for number, account in enumerate(list(self._pool), 1):
            if account.upstream == UPSTREAM and account.email is not None:
                if account.rest_of(RestReason.AUTH_EXPIRED) is None:
                    others.append(account)
                else:
                    yield Standing(account, needs_session_token=True, access_expires_at=account.access_expires_at)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        for number, account in enumerate(others, 1):
            yield Standing(account, needs_session_token=False, access_expires_at=account.access_expires_at)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _pushed(self, digest: bytes, task: "asyncio.Task[Pushed]") -> None:
        self._running.pop(digest, None)
        if not task.cancelled():
            task.exception()  # seen: whoever waited has it, and perhaps nobody waits any more

    async def _push(self, token: Secret, digest: bytes, actor: Actor) -> Pushed:
        known = await self._known(token)
        if known is not None and known.rest_of(RestReason.AUTH_EXPIRED) is not None:
            self._bury(digest)
            raise CredentialRevokedError(_IS_DEAD)
        if known is not None:
            return await self._enabled(known, actor)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                exchanged = await self._exchange(token)
        except TimeoutError as error:
            raise UpstreamTimeoutError("The service did not answer in time; push the session token again.") from error
        except CredentialRevokedError:
            self._bury(digest)
            raise
        if exchanged.email is None:
            raise UpstreamInvalidError("The service did not tell whose session token it is; nothing was changed.")
        async with self._storing:
            return await self._store(exchanged, fold_email(exchanged.email), actor)

    async def _known(self, token: Secret) -> Account | None:
        owner = (await find_owners(self._vault, self._accounts, [token], (UPSTREAM, None))).get(token)
        return None if owner is None else await self._accounts.get(owner)

    async def _exchange(self, token: Secret) -> Exchanged:
        async with self._turn:
            upstream = self._upstreams[UPSTREAM]
            await self._clock.sleep(1.0 / max(0.1, self._options().renewals_per_s))
        return await upstream.exchange(Credentials(token), None)

    async def _store(self, exchanged: Exchanged, email: str, actor: Actor) -> Pushed:
        account = next((one for one in await self._accounts.with_emails([email]) if one.upstream == UPSTREAM), None)
        if account is not None:
            pushed = await self._renew(account.id, exchanged, actor)
            if pushed is not None:
                return pushed
        return await self._add(exchanged, email, actor)

    async def _renew(self, account_id: int, exchanged: Exchanged, actor: Actor) -> Pushed | None:
        """Give the account what came of the exchange; None when it is not there any more."""
        now = self._clock.now()

        def renew(account: Account) -> Account:
            renewed = replace(
                account,
                name=account.name or exchanged.name or account.email or "",
                access_expires_at=exchanged.credentials.expires_at,
                access_obtained_at=exchanged.credentials.obtained_at or now,
            ).cured(Cure.NEW_CREDENTIAL)
            return self._without_hand(renewed)

        def entry(changed: Changed) -> AuditEntry:
            details = {"after": {"session_token": "new", "is_enabled": _was_enabled(changed)}}
            return self._entry(actor, AuditAction.ACCOUNT_CHANGED, account_id, details)

        changed = await self._tend.store(
            account_id, lambda: self._vault.write(account_id, exchanged.credentials, renew, entry)
        )
        if changed is None:
            return None
        self._credentials.forget(account_id)
        return Pushed(changed.after, was_enabled=_was_enabled(changed))

    async def _add(self, exchanged: Exchanged, email: str, actor: Actor) -> Pushed:
        now = self._clock.now()
        account = Account(
            id=0,
            upstream=UPSTREAM,
            name=exchanged.name or email,
            email=email,
            created_at=now,
            access_expires_at=exchanged.credentials.expires_at,
            access_obtained_at=exchanged.credentials.obtained_at or now,
        )
        entry = self._entry(actor, AuditAction.ACCOUNT_ADDED, None, {"email": email})
        (added,) = await self._accounts.add([(account, exchanged.credentials)], entry, unless_there=True)
        self._pool.put(added)
        return Pushed(added, is_new=True)

    async def _enabled(self, account: Account, actor: Actor) -> Pushed:
        if self._without_hand(account) == account:
            return Pushed(account, was_known=True)
        entry = self._entry(actor, AuditAction.ACCOUNT_ENABLED, account.id, {})
        changed = await self._tend.store(
            account.id, lambda: self._accounts.change(account.id, self._without_hand, lambda _: entry)
        )
        if changed is None:
            return Pushed(account, was_known=True)
        return Pushed(changed.after, was_known=True, was_enabled=_was_enabled(changed))

    def _without_hand(self, account: Account) -> Account:
        """The account as a push leaves it: with the option, what the operator switched off is on again."""
        if not self._options().auto_enable_on_update or account.rest_of(RestReason.MANUAL) is None:
            return account
        return account.without(lambda rest: rest.reason is not RestReason.MANUAL)

    def _entry(
        self, actor: Actor, action: AuditAction, account_id: int | None, details: Mapping[str, object]
    ) -> AuditEntry:
        subject = None if account_id is None else str(account_id)
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)

    def _is_dead(self, digest: bytes) -> bool:
        until = self._dead.get(digest)
        if until is not None and until <= self._clock.now():
            del self._dead[digest]
            return False
        return until is not None

    def _bury(self, digest: bytes) -> None:
        self._dead[digest] = self._clock.now() + DEAD_FOR
        if len(self._dead) > _DEAD_HELD:
            self._dead.popitem(last=False)


def _was_enabled(changed: Changed) -> bool:
    """Whether what the operator switched off was switched on."""
    return changed.before.rest_of(RestReason.MANUAL) is not None and changed.after.rest_of(RestReason.MANUAL) is None
