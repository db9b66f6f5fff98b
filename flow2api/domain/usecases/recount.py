"""When all accounts are counted anew: not while somebody waits for a page, where what was counted before still does."""

import asyncio
from collections.abc import Awaitable, Callable

from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.keep_accounts_counted import LONGEST_S, MANY

FRESH_S = 1.0
SHARE = 50
"""What took so long to count is used so many times as long, so that asking all the time costs 2 % at most."""

LATER_S = 0.5
"""So long after somebody asked, many are counted anew: his page is out by then, and has not shared its time with that."""


class Recount:
    """Has something counted that goes through all accounts, once for all who ask.

    Args:
        count: Counts it, in steps that hold up nobody.
        name: What the task is called that does so.
    """

    def __init__(self, pool: AccountPool, clock: Clock, count: Callable[[], Awaitable[None]], name: str) -> None:
        self._pool = pool
        self._clock = clock
        self._count = count
        self._name = name
        self._fresh_until = self._good_until = 0.0
        self._counting: asyncio.Task[None] | None = None
        self._later: asyncio.Task[None] | None = None

    async def settle(self, *, is_of_use: bool = True) -> None:
        """Have it counted lately; where the last count is good enough still, a newer one comes without waiting for it.

        Args:
            is_of_use: Whether the last count can be shown at all.
        """
        now = self._clock.monotonic()
        if not is_of_use or now >= self._good_until:
            await self.at_once()
        elif now >= self._fresh_until:
            self._begin_soon()

    async def at_once(self) -> None:
        """Count it now, whether anybody needs that or not; who asks meanwhile waits for the same count."""
        await asyncio.shield(self._begun())

    def _begin_soon(self) -> None:
        if len(self._pool) < MANY:
            self._begun()
        elif self._later is None or self._later.done():
            self._later = asyncio.create_task(self._after_a_while(), name=self._name)

    async def _after_a_while(self) -> None:
        await self._clock.sleep(LATER_S)
        if self._clock.monotonic() >= self._fresh_until:
            await self.at_once()

    def _begun(self) -> "asyncio.Task[None]":
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._counted(), name=self._name)
        return self._counting

    async def _counted(self) -> None:
        began = self._clock.monotonic()
        await self._count()
        ended = self._clock.monotonic()
        self._fresh_until = ended + FRESH_S + SHARE * (ended - began)
        self._good_until = self._fresh_until + SHARE * (ended - began)
        if len(self._pool) >= MANY:
            self._good_until += LONGEST_S
