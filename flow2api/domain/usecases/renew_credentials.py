"""Access tokens: found in memory, renewed once for everybody who waits."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import TypeVar

from flow2api.domain.account import Account, Credentials, RestReason, Tier
from flow2api.domain.apart import apart
from flow2api.domain.breaker import Host
from flow2api.domain.errors import (
    CredentialError,
    CredentialExpiredError,
    CredentialRevokedError,
    Flow2ApiError,
    StorageError,
    UpstreamError,
    UpstreamInvalidError,
    UpstreamPausedError,
)
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Exchanged, Upstream
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.guard_upstreams import GuardUpstreams
from flow2api.domain.usecases.route_calls import RouteCalls
from flow2api.domain.usecases.tend_accounts import TendAccounts

log = logging.getLogger(__name__)

T = TypeVar("T")

SKEW = timedelta(seconds=30)
"""A token that ends within this time is not sent any more."""

_SESSIONS_HELD = 512
_RENEWALS_AT_MOST = 2
_WRITE_PAUSES_S = (1.0, 5.0, 30.0)


@dataclass(frozen=True, slots=True)
class _Bearer:
    """An access token in memory, without the session token that it came from."""

    token: Secret
    expires_at: datetime


class RenewCredentials:
    """Hands out what a call in the name of an account needs.

    A fresh access token is in memory, so a request meets neither database nor exchange. However many ask at once, an
    account is exchanged once, and the waiters get what it brought.
    """

    def __init__(
        self,
        pool: AccountPool,
        upstreams: Mapping[str, Upstream],
        vault: CredentialVault,
        tend: TendAccounts,
        clock: Clock,
        routes: RouteCalls | None = None,
        guard: GuardUpstreams | None = None,
    ) -> None:
        self._routes = routes
        self._pool = pool
        self._upstreams = upstreams
        self._vault = vault
        self._tend = tend
        self._clock = clock
        self._guard = guard or GuardUpstreams(clock)
        self._bearers: dict[int, _Bearer] = {}
        self._sessions: OrderedDict[int, Secret] = OrderedDict()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._unwritten: dict[int, Exchanged] = {}
        self._writers: dict[int, asyncio.Task[None]] = {}

    async def load(self) -> None:
        """Take the access tokens that are still fresh from storage into memory."""
        async for batch in self._vault.load():
            for account_id, credentials in batch:
                self._hold(account_id, credentials)

    def is_ready(self, account_id: int) -> bool:
        """Whether a call for this account needs no renewal first."""
        return self._usable(account_id, None, SKEW) is not None

    async def access(self, account: Account, *, refused: Secret | None = None, with_session: bool = False) -> Access:
        """What a call needs, renewed first if it has to be.

        Args:
            refused: The access token that upstream has just refused; anything but this one will do.
            with_session: The call needs the session token, too.

        Raises:
            CredentialRevokedError: The session token is refused; only a new one helps.
            UpstreamError: The exchange failed for now.
        """
        bearer = self._usable(account.id, refused, SKEW)
        for _ in range(_RENEWALS_AT_MOST):
            if bearer is None:
                # A renewal that one joins may have been begun for another reason, and keep a token that is refused here.
                await self.renew(account.id, refused=refused)
                bearer = self._usable(account.id, refused, timedelta(0))
        if bearer is None:
            raise self._nothing_usable(account.id, refused)
        session = await self._session(account.id) if with_session else None
        current = self._pool.get(account.id) or account
        return Access(
            account_id=account.id,
            session_token=session,
            access_token=bearer.token,
            tier=current.tier or Tier.FREE,
            workspace=current.workspace,
        )

    async def call(
        self,
        account: Account,
        call: Callable[[Access], Awaitable[T]],
        *,
        with_session: bool = False,
        is_guarded: bool = True,
        spends: bool = False,
    ) -> T:
        """Make a call; when its access token is refused, renew it and make the call once more.

        Args:
            is_guarded: The call goes to a host that a breaker watches. What fetches finished products does not.
            spends: It costs credits. An upstream that has failed is tried with a free call before.

        Raises:
            CredentialRevokedError: It is refused again right after a renewal.
            UpstreamPausedError: The upstream is left alone for now.
        """
        host = (Host.SESSION if with_session else Host.API) if is_guarded else None
        access = await self.access(account, with_session=with_session)
        try:
            if spends:
                await self._try_for_free(account, access)
            return await self._guarded(account, host, lambda: call(access), spends=spends)
        except CredentialExpiredError:
            renewed = await self.access(account, refused=access.access_token, with_session=with_session)
        if spends:
            await self._try_for_free(account, renewed, is_last=True)
        return await self._guarded(account, host, lambda: self._last_try(account, call, renewed), spends=spends)

    async def _guarded(
        self, account: Account, host: Host | None, call: Callable[[], Awaitable[T]], *, spends: bool = False
    ) -> T:
        if host is None:
            return await call()
        return await self._guard.during(account.upstream, account.id, call, host, spends=spends)

    async def _try_for_free(self, account: Account, access: Access, *, is_last: bool = False) -> None:
        """Find out whether the upstream is back that is left alone; what is paid for follows only then."""
        if not self._guard.is_half_open(account.upstream):
            return
        trial = self._upstreams[account.upstream].allowance
        try:
            await self._guarded(
                account, Host.API, lambda: self._last_try(account, trial, access) if is_last else trial(access)
            )
        except UpstreamError as error:
            left_s = self._guard.wait_s(account.upstream)
            if left_s is None:
                raise
            raise UpstreamPausedError(left_s) from error

    async def _last_try(self, account: Account, call: Callable[[Access], Awaitable[T]], access: Access) -> T:
        try:
            return await call(access)
        except CredentialExpiredError as error:
            self._bearers.pop(account.id, None)
            raise CredentialRevokedError(
                "The service refuses the account's access token even right after a renewal; sign in again.",
                after_renewal=True,
            ) from error

    async def renew(self, account_id: int, *, refused: Secret | None = None, force: bool = False) -> None:
        """Exchange the account's session token, or join the exchange that is running.

        Args:
            force: Exchange although the token that is kept is still fresh (to keep the session alive).
        """
        task = self._running.get(account_id)
        if task is None:
            task = apart(self._renew(account_id, refused, force=force), name=f"renew-{account_id}")
            self._running[account_id] = task
            task.add_done_callback(lambda done: self._renewed(account_id, done))
        await asyncio.shield(task)

    async def exchange(self, account: Account, credentials: Credentials) -> Exchanged:
        """Exchange credentials along the account's own way; nothing is kept.

        Raises:
            CredentialRevokedError: The session token is refused.
            UpstreamError: The exchange failed for now.
        """
        upstream = self._upstreams[account.upstream]
        if self._routes is None:
            return await upstream.exchange(credentials, None)
        return await self._routes.exchange(upstream, account.id, credentials)

    def forget(self, account_id: int) -> None:
        """The account's secrets were changed or removed elsewhere: read them again when they are needed."""
        self._bearers.pop(account_id, None)
        self._sessions.pop(account_id, None)

    def _renewed(self, account_id: int, task: "asyncio.Task[None]") -> None:
        self._running.pop(account_id, None)
        if not task.cancelled():
            task.exception()  # seen: whoever waited has it, and perhaps nobody waits any more

    async def _renew(self, account_id: int, refused: Secret | None, *, force: bool) -> None:
        for _ in range(_RENEWALS_AT_MOST):
            kept, account = await self._read(account_id), self._pool.get(account_id)
            if kept is None or account is None:
                raise CredentialRevokedError("The account was removed.")
            if not force and kept.is_fresh(self._clock.now(), SKEW) and kept.access_token != refused:
                self._hold(account_id, kept)
                return
            if account.rest_of(RestReason.AUTH_EXPIRED) is not None:
                raise CredentialRevokedError("The account's session has ended; give it a new session token.")
            if await self._exchange(account, kept):
                return

    async def _exchange(self, account: Account, kept: Credentials) -> bool:
        """Exchange and keep what comes of it; False when the session token was replaced meanwhile, so that it is moot."""
        try:
            exchanged = await self._guarded(account, Host.SESSION, lambda: self.exchange(account, kept))
        except UpstreamPausedError:
            raise
        except UpstreamError as error:
            self._note(account.id, HealthKind.RENEWAL_FAILED, error.message)
            raise
        except CredentialError as error:
            if await self._was_replaced(account.id, kept):
                return False
            self.forget(account.id)
            self._note(account.id, HealthKind.RENEWAL_FAILED, error.message)
            await self._tend.went_wrong(account.id, error)
            raise
        if await self._was_replaced(account.id, kept):
            return False
        await self._keep(account.id, exchanged)
        self._note(account.id, HealthKind.ACCESS_RENEWED, "", until=exchanged.credentials.expires_at)
        if exchanged.credentials.session_token != kept.session_token:
            self._note(account.id, HealthKind.SESSION_ROTATED, "the upstream gave another session token")
        return True

    def _note(self, account_id: int, kind: HealthKind, cause: str, *, until: datetime | None = None) -> None:
        self._tend.note(HealthEvent(account_id, self._clock.now(), kind, until=until, cause=cause))

    async def _keep(self, account_id: int, exchanged: Exchanged) -> None:
        """Into memory at once, and into the database: a rotated session token exists nowhere else."""
        credentials = exchanged.credentials
        try:
            async with self._tend.holding(account_id) as account:
                if account is None:
                    raise CredentialRevokedError("The account was removed.")
                renewed = _renewed(account, exchanged, self._clock.now())
                self._hold(account_id, credentials)
                self._pool.put(renewed)
                await self._vault.write(renewed, credentials)
                self._unwritten.pop(account_id, None)
        except StorageError:
            log.exception("renewed credentials not written yet", extra={"account_id": account_id})
            self._hold(account_id, credentials)
            if (known := self._pool.get(account_id)) is not None:
                self._pool.put(_renewed(known, exchanged, self._clock.now()))
            self._unwritten[account_id] = exchanged
            self._write_later(account_id)
        # What was read while the write was on its way was the former one.
        self._sessions.pop(account_id, None)

    def _write_later(self, account_id: int) -> None:
        if account_id not in self._writers:
            task = apart(self._write_until_done(account_id), name=f"write-credentials-{account_id}")
            self._writers[account_id] = task
            task.add_done_callback(lambda _: self._writers.pop(account_id, None))

    async def _write_until_done(self, account_id: int) -> None:
        pauses = chain(_WRITE_PAUSES_S, repeat(_WRITE_PAUSES_S[-1]))
        while account_id in self._unwritten:
            await self._clock.sleep(next(pauses))
            try:
                await self._write_unwritten(account_id)
            except StorageError:
                log.warning("renewed credentials still not written", extra={"account_id": account_id})

    async def _write_unwritten(self, account_id: int) -> None:
        async with self._tend.holding(account_id) as account:
            exchanged = self._unwritten.get(account_id)
            if account is not None and exchanged is not None:
                renewed = _renewed(account, exchanged, self._clock.now())
                await self._vault.write(renewed, exchanged.credentials)
                self._pool.put(renewed)
            if self._unwritten.get(account_id) is exchanged:
                self._unwritten.pop(account_id, None)

    async def _read(self, account_id: int) -> Credentials | None:
        unwritten = self._unwritten.get(account_id)
        return await self._vault.read(account_id) if unwritten is None else unwritten.credentials

    async def _was_replaced(self, account_id: int, used: Credentials) -> bool:
        """Whether the operator has given the account another session token since."""
        try:
            kept = await self._read(account_id)
        except StorageError:
            return False
        return kept is not None and kept.session_token != used.session_token

    def _usable(self, account_id: int, refused: Secret | None, margin: timedelta) -> _Bearer | None:
        bearer = self._bearers.get(account_id)
        if bearer is None or bearer.token == refused or self._clock.now() + margin >= bearer.expires_at:
            return None
        return bearer

    def _nothing_usable(self, account_id: int, refused: Secret | None) -> Flow2ApiError:
        bearer = self._bearers.pop(account_id, None)
        if bearer is not None and bearer.token == refused:
            return CredentialRevokedError("The service keeps giving the access token that it refuses; sign in again.")
        return UpstreamInvalidError("The service gave no access token that can be used; try again later.")

    def _hold(self, account_id: int, credentials: Credentials) -> None:
        if credentials.access_token is not None and credentials.expires_at is not None:
            self._bearers[account_id] = _Bearer(credentials.access_token, credentials.expires_at)
        self._sessions.pop(account_id, None)

    async def _session(self, account_id: int) -> Secret:
        held = self._sessions.get(account_id)
        if held is None:
            kept = await self._read(account_id)
            if kept is None:
                raise CredentialRevokedError("The account was removed.")
            held = self._sessions[account_id] = kept.session_token
            if len(self._sessions) > _SESSIONS_HELD:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(account_id)
        return held


def _renewed(account: Account, exchanged: Exchanged, now: datetime) -> Account:
    return replace(
        account,
        email=exchanged.email or account.email,
        name=account.name or exchanged.name or exchanged.email or "",
        access_expires_at=exchanged.credentials.expires_at,
        access_obtained_at=exchanged.credentials.obtained_at or now,
    )
