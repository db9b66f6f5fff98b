"""Keeps memory current with what the command line and other processes write."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from flow2api.domain.account import Account
from flow2api.domain.errors import StorageError
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import Accounts, Change, ChangeFeed
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.relay_events import set_within
from flow2api.domain.usecases.renew_credentials import RenewCredentials

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0

_SOONEST_S = 0.1
"""So far apart are two looks at least, however often this process is woken."""

_SLICE = 20
"""After so many accounts others have their turn: half a millisecond of work."""


class FollowChanges:
    """Reads the change feed once a second, or when it is woken, and takes in what others have changed."""

    def __init__(
        self,
        changes: ChangeFeed,
        accounts: Accounts,
        pool: AccountPool,
        credentials: RenewCredentials,
        clock: Clock,
        *,
        reload_keys: Callable[[], Awaitable[None]],
        reload_options: Callable[[], Awaitable[None]],
        reload_proxies: Callable[[], Awaitable[None]] | None = None,
        reload_webhooks: Callable[[], Awaitable[None]] | None = None,
        with_unwritten: Callable[[Account], Account] = lambda stored: stored,
        news: asyncio.Event | None = None,
    ) -> None:
        """Follow nothing yet.

        Args:
            with_unwritten: An account as it is stored, with what this process knows of it and could not write yet.
            news: Set when another process has changed something; without it the feed is read once a second and no sooner.
        """
        self._changes = changes
        self._accounts = accounts
        self._pool = pool
        self._credentials = credentials
        self._clock = clock
        self._reload_keys = reload_keys
        self._reload_options = reload_options
        self._reload_proxies = reload_proxies
        self._reload_webhooks = reload_webhooks
        self._with_unwritten = with_unwritten
        self._news = news
        self._seen = 0

    async def begin(self) -> None:
        """Start from here; to be called before the first load, so that nothing falls in between."""
        self._seen = await self._changes.latest()

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            await self._pause()
            try:
                await self.catch_up()
            except StorageError:
                log.warning("change feed not read", exc_info=True)

    async def _pause(self) -> None:
        if self._news is None:
            await self._clock.sleep(LOOK_EVERY_S)
        else:
            await self._clock.sleep(_SOONEST_S)
            await set_within(self._news, LOOK_EVERY_S - _SOONEST_S)

    async def catch_up(self) -> None:
        """Take in everything that is new."""
        while changes := await self._changes.since(self._seen):
            await self._apply(changes)
            self._seen = changes[-1].number

    async def _apply(self, changes: Sequence[Change]) -> None:
        changes = [change for change in changes if not change.is_own]
        kinds = {change.what for change in changes}
        if "api_key" in kinds:
            await self._reload_keys()
        if "options" in kinds:
            await self._reload_options()
        if "proxy" in kinds and self._reload_proxies is not None:
            await self._reload_proxies()
        if "webhook" in kinds and self._reload_webhooks is not None:
            await self._reload_webhooks()
        await self._take_in(list(dict.fromkeys(int(change.id) for change in changes if change.what == "account")))

    async def _take_in(self, account_ids: Sequence[int]) -> None:
        """Have these accounts in memory as they are in the database; what this process writes meanwhile is read again."""
        while account_ids:
            before = {account_id: self._pool.get(account_id) for account_id in account_ids}
            stored = await self._accounts.some(account_ids)
            again = []
            for number, account_id in enumerate(account_ids, 1):
                if self._pool.get(account_id) is before[account_id]:
                    self._put(account_id, before[account_id], stored.get(account_id))
                else:
                    again.append(account_id)
                if number % _SLICE == 0:
                    await asyncio.sleep(0)
            account_ids = again

    def _put(self, account_id: int, before: Account | None, account: Account | None) -> None:
        if account is None:
            self._pool.remove(account_id)
            self._credentials.forget(account_id)
        elif (account := self._with_unwritten(account)) != before:
            if before is None or _access_of(account) != _access_of(before):
                self._credentials.forget(account_id)
            self._pool.put(account)


def _access_of(account: Account) -> tuple[datetime | None, datetime | None, str | None]:
    return account.access_expires_at, account.access_obtained_at, account.base_url
