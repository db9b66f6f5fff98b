"""What the accounts sign in with: fresh access tokens in memory, everything else in storage, and nothing in neither."""

import logging
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import TYPE_CHECKING

from flow2api.domain.account import Account, Credentials
from flow2api.domain.apart import apart
from flow2api.domain.errors import CredentialRevokedError, StorageError
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Exchanged
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.tend_accounts import TendAccounts

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger(__name__)

_SESSIONS_HELD = 512
_WRITE_PAUSES_S = (1.0, 5.0, 30.0)


@dataclass(frozen=True, slots=True)
class Bearer:
    """An access token in memory, without the session token that it came from."""

    token: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """What an exchange brought and the database did not take.

    Attributes:
        replaces: The session token that the database has.
        base_url: The host that was asked.
    """

    exchanged: Exchanged
    replaces: Secret
    base_url: str | None


class _MovedError(Exception):
    """The account is served at another host than the one that was asked."""


class HoldCredentials:
    """Finds tokens without the database while they are fresh, and loses none that an exchange has brought.

    A session token that somebody else has stored meanwhile wins over one that came of an exchange of the former one.
    """

    def __init__(self, pool: AccountPool, vault: CredentialVault, tend: TendAccounts, clock: Clock) -> None:
        self._pool = pool
        self._vault = vault
        self._tend = tend
        self._clock = clock
        self._bearers: dict[int, Bearer] = {}
        self._sessions: OrderedDict[int, Secret] = OrderedDict()
        self._unwritten: dict[int, _Unwritten] = {}
        self._writers: dict[int, asyncio.Task[None]] = {}

    async def load(self) -> None:
        """Take the access tokens that are still fresh from storage into memory."""
        async for batch in self._vault.load():
            for account_id, credentials in batch:
                self.hold(account_id, credentials)

    def usable(self, account_id: int, refused: Secret | None, margin: timedelta) -> Bearer | None:
        """The access token, unless it is the refused one, or ends within the margin."""
        bearer = self._bearers.get(account_id)
        if bearer is None or bearer.token == refused or self._clock.now() + margin >= bearer.expires_at:
            return None
        return bearer

    def drop(self, account_id: int) -> Bearer | None:
        """Forget the access token, which is of no use; returns it."""
        return self._bearers.pop(account_id, None)

    def forget(self, account_id: int) -> None:
        """The account's secrets were changed or removed elsewhere: read them again when they are needed."""
        self._bearers.pop(account_id, None)
        self._sessions.pop(account_id, None)
        self._unwritten.pop(account_id, None)

    async def session(self, account_id: int) -> Secret:
        """The session token.

        Raises:
            CredentialRevokedError: The account was removed.
            StorageError: It could not be read.
        """
        held = self._sessions.get(account_id)
        if held is None:
            kept = await self.read(account_id)
            if kept is None:
                raise CredentialRevokedError("The account was removed.")
            held = self._sessions[account_id] = kept.session_token
            if len(self._sessions) > _SESSIONS_HELD:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(account_id)
        return held

    async def read(self, account_id: int) -> Credentials | None:
        """All that the account signs in with, as it is or will be stored; None when it was removed."""
        unwritten = self._unwritten.get(account_id)
        return await self._vault.read(account_id) if unwritten is None else unwritten.exchanged.credentials

    def hold(self, account_id: int, credentials: Credentials) -> None:
        """Have the access token in memory."""
        if credentials.access_token is not None and credentials.expires_at is not None:
            self._bearers[account_id] = Bearer(credentials.access_token, credentials.expires_at)
        self._sessions.pop(account_id, None)

    async def was_replaced(self, account: Account, used: Secret) -> bool:
        """Whether the account was given another session token or host since; False when that cannot be told.

        Args:
            account: As it was when the token was used.
        """
        try:
            elsewhere = await self.at_its_host(account) != account
        except StorageError:
            elsewhere = False
        return elsewhere or await self._has_another(account.id, used)

    async def at_its_host(self, account: Account) -> Account | None:
        """The account as it is known here, unless the database has another host for it: then as it is there.

        Its key must not go to a host that it has left, and memory hears of what others change a moment later only.

        Raises:
            StorageError: The database did not tell.
        """
        if account.base_url is None:
            return account
        async with self._tend.holding(account.id) as latest:
            if latest is not None and latest.base_url != account.base_url:
                self.forget(account.id)
                self._pool.put(self._tend.with_unwritten(latest))
                return latest
            return None if latest is None else account

    async def _has_another(self, account_id: int, used: Secret) -> bool:
        try:
            kept = await self.read(account_id)
        except StorageError:
            return False
        return kept is not None and kept.session_token != used

    async def keep(self, exchanging: Account, exchanged: Exchanged, used: Secret) -> bool:
        """Into memory at once, and into the database: a rotated session token exists nowhere else.

        Args:
            exchanging: The account as it was when the exchange began.
            used: The session token that was exchanged.

        Returns:
            False when it was replaced meanwhile, so that what came of it is moot.

        Raises:
            CredentialRevokedError: The account was removed.
        """
        account_id, credentials = exchanging.id, exchanged.credentials
        try:
            async with self._tend.holding(account_id) as account:
                if account is None:
                    raise CredentialRevokedError("The account was removed.")
                if account.base_url != exchanging.base_url or await self._has_another(account_id, used):
                    return False
                self.hold(account_id, credentials)
                if not await self._write(account_id, self._to_write(exchanging, exchanged, used)):
                    self.forget(account_id)
                    return False
                self._unwritten.pop(account_id, None)
        except StorageError:
            log.exception("renewed credentials not written yet", extra={"account_id": account_id})
            self.hold(account_id, credentials)
            if (known := self._pool.get(account_id)) is not None:
                self._pool.put(_renewed(known, exchanged, self._clock.now()))
            self._unwritten[account_id] = self._to_write(exchanging, exchanged, used)
            self._write_later(account_id)
        # What was read while the write was on its way was the former one.
        self._sessions.pop(account_id, None)
        return True

    def _to_write(self, exchanging: Account, exchanged: Exchanged, used: Secret) -> _Unwritten:
        before = self._unwritten.get(exchanging.id)
        return _Unwritten(exchanged, used if before is None else before.replaces, exchanging.base_url)

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
            unwritten = self._unwritten.get(account_id)
            if unwritten is None:
                return
            if account is not None and not await self._write(account_id, unwritten):
                self._bearers.pop(account_id, None)
            self._done_with(account_id, unwritten)

    def _done_with(self, account_id: int, unwritten: _Unwritten) -> None:
        """What came of a later exchange meanwhile is still to be written, over what has just been."""
        since = self._unwritten.pop(account_id, unwritten)
        if since is not unwritten:
            written = unwritten.exchanged.credentials.session_token
            self._unwritten[account_id] = replace(since, replaces=written)

    async def _write(self, account_id: int, unwritten: _Unwritten) -> bool:
        """Store what an exchange brought; False when another secret or host was stored meanwhile, or the account is gone."""
        exchanged, now = unwritten.exchanged, self._clock.now()

        def renew(account: Account) -> Account:
            if account.base_url != unwritten.base_url:
                raise _MovedError
            return _renewed(account, exchanged, now)

        try:
            write = self._vault.write(account_id, exchanged.credentials, renew, replaces=unwritten.replaces)
            return await self._tend.written(account_id, write) is not None
        except _MovedError:
            return False


def _renewed(account: Account, exchanged: Exchanged, now: datetime) -> Account:
    return replace(
        account,
        email=exchanged.email or account.email,
        name=account.name or exchanged.name or exchanged.email or "",
        access_expires_at=exchanged.credentials.expires_at,
        access_obtained_at=exchanged.credentials.obtained_at or now,
    )
