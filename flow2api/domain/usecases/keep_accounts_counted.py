"""Counts the accounts of a large pool although nobody looks, so that who looks first need not wait for it."""

from collections.abc import Awaitable, Callable, Sequence

from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock

MANY = 2000
"""From so many accounts on that is worth it; fewer are counted while somebody waits."""

LONGEST_S = 120.0
"""How old a count of many may be when it is asked for, beside what it says of itself; newer ones come by then."""

EVERY_S = 30.0
SHARE = 100
"""What took so long is left alone for so many times as long: it costs 1 % at most."""


class KeepAccountsCounted:
    """Has everything counted that goes through all accounts.

    Args:
        counts: What counts them, each in steps that hold up nobody.
    """

    def __init__(self, pool: AccountPool, counts: Sequence[Callable[[], Awaitable[None]]], clock: Clock) -> None:
        self._pool = pool
        self._counts = counts
        self._clock = clock

    async def run(self) -> None:
        """Count at once, and then now and again, for ever."""
        while True:
            await self._clock.sleep(await self.count())

    async def count(self) -> float:
        """Count once, if there are so many; for how many seconds that is enough."""
        if len(self._pool) < MANY:
            return EVERY_S
        began = self._clock.monotonic()
        for count in self._counts:
            await count()
        return max(EVERY_S, SHARE * (self._clock.monotonic() - began))
