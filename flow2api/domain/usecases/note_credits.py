"""Writes down day by day what accounts have left, beside everything else."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, timedelta, tzinfo

from flow2api.domain.errors import StorageError
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import CreditsHistory
from flow2api.domain.ports.storage.credits import POOL
from flow2api.domain.ports.system import Clock
from flow2api.domain.statistics import day_of

log = logging.getLogger(__name__)

KEPT = timedelta(days=90)
EVERY_S = 900.0

_AT_ONCE = 500
_BREATH_S = 0.05


class NoteCredits:
    """Looks at the accounts in memory now and again, and writes what has changed since; no request waits for it.

    Args:
        history: None when the storage keeps none.
        zone: The time zone whose days are counted.
    """

    def __init__(
        self, pool: AccountPool, history: CreditsHistory | None, clock: Clock, zone: Callable[[], tzinfo]
    ) -> None:
        self._pool = pool
        self._history = history
        self._clock = clock
        self._zone = zone
        self._noted: dict[int, int] = {}
        self._forgotten_on: date | None = None

    async def run(self) -> None:
        """Look every quarter of an hour, for ever."""
        while True:
            await self._clock.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Write what is new; a database that refuses is given it the next time."""
        if self._history is None:
            return
        try:
            await self._note(self._history)
            await self._forget(self._history)
        except StorageError:
            log.warning("credits of accounts not written down; it is tried again soon", exc_info=True)

    async def _note(self, history: CreditsHistory) -> None:
        day = day_of(self._clock.now(), self._zone()).isoformat()
        total, is_known, new = 0, False, dict[int, int]()
        for number, account in enumerate(list(self._pool), 1):
            if account.credits is not None:
                total, is_known = total + account.credits, True
                if self._noted.get(account.id) != account.credits:
                    new[account.id] = account.credits
            if number % _AT_ONCE == 0:
                await self._write(history, day, new)
                new = {}
        if is_known and self._noted.get(POOL) != total:
            new[POOL] = total
        await self._write(history, day, new)

    async def _write(self, history: CreditsHistory, day: str, new: dict[int, int]) -> None:
        if not new:
            await asyncio.sleep(0)
            return
        await history.note(day, new)
        self._noted.update(new)
        await self._clock.sleep(_BREATH_S)

    async def _forget(self, history: CreditsHistory) -> None:
        today = day_of(self._clock.now(), self._zone())
        if self._forgotten_on == today:
            return
        before = (today - KEPT).isoformat()
        while await history.forget(before, _AT_ONCE) >= _AT_ONCE:
            await self._clock.sleep(_BREATH_S)
        self._forgotten_on = today
