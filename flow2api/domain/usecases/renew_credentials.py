"""What calls in the name of an account need: access tokens that are renewed once for everybody who waits."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from flow2api.domain.account import Account, Credentials, RestReason, Tier
from flow2api.domain.apart import apart
from flow2api.domain.breaker import Host
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.errors import (
    CredentialError,
    CredentialExpiredError,
    CredentialRevokedError,
    Flow2ApiError,
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
from flow2api.domain.usecases.hold_credentials import Bearer, HoldCredentials
from flow2api.domain.usecases.route_calls import RouteCalls
from flow2api.domain.usecases.tend_accounts import TendAccounts

log = logging.getLogger(__name__)

T = TypeVar("T")

SKEW = timedelta(seconds=30)
"""A token that ends within this time is not sent any more."""

_RENEWALS_AT_MOST = 2
_KEY_OF_NO_USE = "The service refuses the account's API key for what it is to do; give the account another key."


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
        kinds: CredentialKinds = SESSIONS,
    ) -> None:
        self._kinds = kinds
        self._routes = routes
        self._pool = pool
        self._upstreams = upstreams
        self._tend = tend
        self._clock = clock
        self._guard = guard or GuardUpstreams(clock)
        self._held = HoldCredentials(pool, vault, tend, clock)
        self._running: dict[int, asyncio.Task[None]] = {}

    async def load(self) -> None:
        """Take the access tokens that are still fresh from storage into memory."""
        await self._held.load()

    def is_ready(self, account_id: int) -> bool:
        """Whether a call for this account needs no renewal first."""
        return self._held.usable(account_id, None, SKEW) is not None

    async def access(self, account: Account, *, refused: Secret | None = None, with_session: bool = False) -> Access:
        """What a call needs, renewed first if it has to be.

        Args:
            refused: The access token that upstream has just refused; anything but this one will do.
            with_session: The call needs the session token, too.

        Raises:
            CredentialRevokedError: The session token is refused, or the key was; only a new one helps.
            UpstreamError: The exchange failed for now.
        """
        known = self._pool.get(account.id) or account
        # A session may be over while its access token is still good; a key that was refused is good for nothing.
        if known.rests and known.rest_of(RestReason.AUTH_EXPIRED) is not None and self._has_key(known):
            raise _key_refused()
        bearer = self._held.usable(account.id, refused, SKEW) or await self._renewed_bearer(account, refused)
        session = await self._held.session(account.id) if with_session else None
        current = self._pool.get(account.id) or account
        return Access(
            account_id=account.id,
            session_token=session,
            access_token=bearer.token,
            tier=current.tier or Tier.FREE,
            workspace=current.workspace,
            base_url=current.base_url,
        )

    async def _renewed_bearer(self, account: Account, refused: Secret | None) -> Bearer:
        # A key is given back as it is: to prove it twice would say nothing more.
        for _ in range(1 if self._has_key(account) else _RENEWALS_AT_MOST):
            # A renewal that one joins may have been begun for another reason, and keep a token that is refused here.
            await self.renew(account.id, refused=refused)
            bearer = self._held.usable(account.id, refused, timedelta(0))
            if bearer is not None:
                return bearer
        raise self._nothing_usable(account, refused)

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
        return await self._guard.during(account.place, account.id, call, host, spends=spends)

    async def _try_for_free(self, account: Account, access: Access, *, is_last: bool = False) -> None:
        """Find out whether the host is back that is left alone; what is paid for follows only then."""
        if not self._guard.is_half_open(account.place):
            return
        trial = self._upstreams[account.upstream].allowance
        try:
            await self._guarded(
                account, Host.API, lambda: self._last_try(account, trial, access) if is_last else trial(access)
            )
        except UpstreamError as error:
            left_s = self._guard.wait_s_at(account.place)
            if left_s is None:
                raise
            raise UpstreamPausedError(left_s) from error

    async def _last_try(self, account: Account, call: Callable[[Access], Awaitable[T]], access: Access) -> T:
        try:
            return await call(access)
        except CredentialExpiredError as error:
            self._held.drop(account.id)
            raise CredentialRevokedError(
                _KEY_OF_NO_USE
                if self._has_key(account)
                else "The service refuses the account's access token even right after a renewal; sign in again.",
                after_renewal=True,
            ) from error

    async def renew(self, account_id: int, *, refused: Secret | None = None, force: bool = False) -> None:
        """Exchange the account's session token, or join the exchange that is running.

        Args:
            force: Exchange although the token that is kept is still fresh (to keep the session alive), unless another process
                has just done so.
        """
        task = self._running.get(account_id)
        if task is None:
            task = apart(self._renew(account_id, refused, force=force), name=f"renew-{account_id}")
            self._running[account_id] = task
            task.add_done_callback(lambda done: self._renewed(account_id, done))
        await asyncio.shield(task)

    async def exchange(self, account: Account, credentials: Credentials) -> Exchanged:
        """Exchange credentials along the account's own way, at the account's own host; nothing is kept.

        Raises:
            CredentialRevokedError: The session token is refused.
            UpstreamError: The exchange failed for now.
        """
        upstream, credentials = self._upstreams[account.upstream], replace(credentials, base_url=account.base_url)
        if self._routes is None:
            return await upstream.exchange(credentials, None)
        return await self._routes.exchange(upstream, account.id, credentials)

    def forget(self, account_id: int) -> None:
        """The account's secrets were changed or removed elsewhere: read them again when they are needed."""
        self._held.forget(account_id)

    def _renewed(self, account_id: int, task: "asyncio.Task[None]") -> None:
        self._running.pop(account_id, None)
        if not task.cancelled():
            task.exception()  # seen: whoever waited has it, and perhaps nobody waits any more

    async def _renew(self, account_id: int, refused: Secret | None, *, force: bool) -> None:
        for _ in range(_RENEWALS_AT_MOST):
            kept, account = await self._held.read(account_id), self._pool.get(account_id)
            account = None if account is None else await self._held.at_its_host(account)
            if kept is None or account is None:
                raise CredentialRevokedError("The account was removed.")
            is_fresh = kept.is_fresh(self._clock.now(), SKEW) and kept.access_token != refused
            if is_fresh and (not force or _is_newer(kept, account)):
                self._held.hold(account_id, kept)
                await self._tend.change(account_id, partial(_as_kept, kept=kept))
                return
            if account.rest_of(RestReason.AUTH_EXPIRED) is not None:
                if self._has_key(account):
                    raise _key_refused()
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
            if await self._held.was_replaced(account, kept.session_token):
                return False
            self.forget(account.id)
            self._note(account.id, HealthKind.RENEWAL_FAILED, error.message)
            await self._tend.went_wrong(account.id, error)
            raise
        if not await self._held.keep(account, exchanged, kept.session_token):
            return False
        self._note(account.id, HealthKind.ACCESS_RENEWED, "", until=exchanged.credentials.expires_at)
        if exchanged.credentials.session_token != kept.session_token:
            self._note(account.id, HealthKind.SESSION_ROTATED, "the upstream gave another session token")
        return True

    def _note(self, account_id: int, kind: HealthKind, cause: str, *, until: datetime | None = None) -> None:
        self._tend.note(HealthEvent(account_id, self._clock.now(), kind, until=until, cause=cause))

    def _has_key(self, account: Account) -> bool:
        return self._kinds.of(account.upstream).has_key

    def _nothing_usable(self, account: Account, refused: Secret | None) -> Flow2ApiError:
        bearer = self._held.drop(account.id)
        if bearer is not None and bearer.token == refused:
            if self._has_key(account):
                return CredentialRevokedError(_KEY_OF_NO_USE, after_renewal=True)
            return CredentialRevokedError("The service keeps giving the access token that it refuses; sign in again.")
        return UpstreamInvalidError("The service gave no access token that can be used; try again later.")


def _key_refused() -> CredentialRevokedError:
    return CredentialRevokedError("The account's API key was refused; give it a new one.")


def _is_newer(kept: Credentials, account: Account) -> bool:
    """Whether what is stored was obtained later than this process knows: another one has renewed it."""
    known = account.access_obtained_at
    return kept.obtained_at is not None and known is not None and kept.obtained_at > known


def _as_kept(account: Account, kept: Credentials) -> Account:
    return replace(account, access_expires_at=kept.expires_at, access_obtained_at=kept.obtained_at)
