"""Access tokens: found in memory, renewed once for everybody who waits."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from flow2api.domain.account import Account, Credentials, Cure, RestReason, Tier
from flow2api.domain.errors import CredentialError, CredentialExpiredError, CredentialRevokedError
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Exchanged, Upstream
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.tend_accounts import TendAccounts

T = TypeVar("T")

SKEW = timedelta(seconds=30)
"""A token that ends within this time is not sent any more."""

_SESSIONS_HELD = 512


@dataclass(frozen=True, slots=True)
class _Bearer:
    """An access token in memory, without the session token that it came from."""

    token: Secret
    expires_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        return now + SKEW < self.expires_at


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
    ) -> None:
        self._pool = pool
        self._upstreams = upstreams
        self._vault = vault
        self._tend = tend
        self._clock = clock
        self._bearers: dict[int, _Bearer] = {}
        self._sessions: OrderedDict[int, Secret] = OrderedDict()
        self._running: dict[int, asyncio.Task[None]] = {}

    async def load(self) -> None:
        """Take the access tokens that are still fresh from storage into memory."""
        async for batch in self._vault.load():
            for account_id, credentials in batch:
                self._hold(account_id, credentials)

    async def access(self, account: Account, *, refused: Secret | None = None, with_session: bool = False) -> Access:
        """What a call needs, renewed first if it has to be.

        Args:
            refused: The access token that upstream has just refused; anything but this one will do.
            with_session: The call needs the session token, too.

        Raises:
            CredentialRevokedError: The session token is refused; only a new one helps.
            UpstreamError: The exchange failed for now.
        """
        bearer = self._bearers.get(account.id)
        if bearer is None or not bearer.is_fresh(self._clock.now()) or bearer.token == refused:
            await self.renew(account.id, refused=refused)
            bearer = self._bearers[account.id]
        session = await self._session(account.id) if with_session else None
        current = self._pool.get(account.id) or account
        return Access(
            account_id=account.id,
            session_token=session,
            access_token=bearer.token,
            tier=current.tier or Tier.FREE,
            workspace=current.workspace,
        )

    async def call(self, account: Account, call: Callable[[Access], Awaitable[T]], *, with_session: bool = False) -> T:
        """Make a call; when its access token is refused, renew it and make the call once more.

        Raises:
            CredentialRevokedError: It is refused again right after a renewal.
        """
        access = await self.access(account, with_session=with_session)
        try:
            return await call(access)
        except CredentialExpiredError:
            access = await self.access(account, refused=access.access_token, with_session=with_session)
        try:
            return await call(access)
        except CredentialExpiredError as error:
            self._bearers.pop(account.id, None)
            raise CredentialRevokedError(
                "The service refuses the account's access token even right after a renewal; sign in again."
            ) from error

    async def renew(self, account_id: int, *, refused: Secret | None = None, force: bool = False) -> None:
        """Exchange the account's session token, or join the exchange that is running.

        Args:
            force: Exchange although the token that is kept is still fresh (to keep the session alive).
        """
        task = self._running.get(account_id)
        if task is None:
            task = asyncio.create_task(self._renew(account_id, refused, force=force), name=f"renew-{account_id}")
            self._running[account_id] = task
            task.add_done_callback(lambda _: self._running.pop(account_id, None))
        await asyncio.shield(task)

    def forget(self, account_id: int) -> None:
        """The account's secrets were changed or removed elsewhere: read them again when they are needed."""
        self._bearers.pop(account_id, None)
        self._sessions.pop(account_id, None)

    async def _renew(self, account_id: int, refused: Secret | None, *, force: bool) -> None:
        kept = await self._vault.read(account_id)
        account = self._pool.get(account_id)
        if kept is None or account is None:
            raise CredentialRevokedError("The account was removed.")
        if not force and kept.is_fresh(self._clock.now(), SKEW) and kept.access_token != refused:
            self._hold(account_id, kept)
            return
        if account.rest_of(RestReason.AUTH_EXPIRED) is not None:
            raise CredentialRevokedError("The account's session has ended; give it a new session token.")
        try:
            exchanged = await self._upstreams[account.upstream].exchange(kept, None)
        except CredentialError as error:
            self.forget(account_id)
            await self._tend.went_wrong(account_id, error)
            raise
        await self._keep(account_id, exchanged)

    async def _keep(self, account_id: int, exchanged: Exchanged) -> None:
        account = self._pool.get(account_id)
        if account is None:
            raise CredentialRevokedError("The account was removed.")
        updated = replace(
            account,
            email=exchanged.email or account.email,
            name=account.name or exchanged.name or exchanged.email or "",
            access_expires_at=exchanged.credentials.expires_at,
            access_obtained_at=exchanged.credentials.obtained_at or self._clock.now(),
        ).cured(Cure.NEW_CREDENTIAL)
        self._hold(account_id, exchanged.credentials)
        self._pool.put(updated)
        await self._vault.write(updated, exchanged.credentials)

    def _hold(self, account_id: int, credentials: Credentials) -> None:
        if credentials.access_token is not None and credentials.expires_at is not None:
            self._bearers[account_id] = _Bearer(credentials.access_token, credentials.expires_at)
        self._sessions.pop(account_id, None)

    async def _session(self, account_id: int) -> Secret:
        held = self._sessions.get(account_id)
        if held is None:
            kept = await self._vault.read(account_id)
            if kept is None:
                raise CredentialRevokedError("The account was removed.")
            held = self._sessions[account_id] = kept.session_token
            if len(self._sessions) > _SESSIONS_HELD:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(account_id)
        return held
