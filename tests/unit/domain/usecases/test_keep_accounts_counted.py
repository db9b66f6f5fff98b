"""The accounts of a large pool are counted although nobody looks; those of a small one are not."""

import asyncio

from flow2api.domain.account import Account
from flow2api.domain.lease import AccountPool
from flow2api.domain.usecases.keep_accounts_counted import EVERY_S, MANY, SHARE, KeepAccountsCounted
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.clock import START, FakeClock


class Counted:
    """Counts that take their time."""

    def __init__(self, accounts: int, *, takes_s: float = 0.0) -> None:
        self.clock = FakeClock()
        pool = AccountPool(MemorySlots(), self.clock)
        for number in range(1, accounts + 1):
            pool.put(Account(id=number, upstream="flow", name="", created_at=START))
        self.times = 0
        self._takes_s = takes_s
        self.keep = KeepAccountsCounted(pool, [self._count], self.clock)

    async def _count(self) -> None:
        self.times += 1
        self.clock.advance(self._takes_s)


async def test_few_accounts_are_left_to_who_asks() -> None:
    few = Counted(MANY - 1)

    assert await few.keep.count() == EVERY_S
    assert few.times == 0


async def test_many_accounts_are_counted_at_most_a_hundredth_of_the_time() -> None:
    quick, slow = Counted(MANY), Counted(MANY, takes_s=1.0)

    assert (await quick.keep.count(), quick.times) == (EVERY_S, 1)
    assert (await slow.keep.count(), slow.times) == (SHARE, 1)


async def test_they_are_counted_at_once_and_again_and_again() -> None:
    many = Counted(MANY)
    running = asyncio.create_task(many.keep.run())
    for _ in range(3):
        await asyncio.sleep(0)
    running.cancel()

    assert many.times == len(many.clock.slept) >= 2
    assert set(many.clock.slept) == {EVERY_S}
