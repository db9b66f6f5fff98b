"""Sees to it that no slot is lost to work that never ends."""

from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock

LOOK_EVERY_S = 30.0


class ReclaimLeases:
    """Gives back leases that are held past their limit."""

    def __init__(self, pool: AccountPool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def run(self) -> None:
        """Look every half minute, for ever."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await self._pool.reclaim()
