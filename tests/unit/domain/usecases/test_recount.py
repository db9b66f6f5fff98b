"""All accounts are counted anew when nobody waits, as far as the last count is of use."""

import asyncio
from datetime import timedelta

import pytest

from flow2api.domain.account import Account
from flow2api.domain.lease import AccountPool
from flow2api.domain.usecases.keep_accounts_counted import LONGEST_S, MANY
from flow2api.domain.usecases.recount import FRESH_S, LATER_S, SHARE, Recount
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.clock import START, FakeClock


class WaitingClock(FakeClock):
    """A clock on which nobody wakes up before the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.morning = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.morning.wait()


class Counting:
    """Counts how often it was counted; each time takes a tenth of a second."""

    def __init__(self, accounts: int) -> None:
        self.clock = WaitingClock()
        self.times = 0
        pool = AccountPool(MemorySlots(), self.clock)
        for number in range(1, accounts + 1):
            soon = START + timedelta(days=1)
            pool.put(Account(id=number, upstream="flow", name="", created_at=START, access_expires_at=soon))
        self.recount = Recount(pool, self.clock, self._count, "count")

    async def _count(self) -> None:
        await asyncio.sleep(0)
        self.clock.advance(0.1)
        self.times += 1

    async def others_have_turns(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def large() -> Counting:
    return Counting(MANY)


@pytest.fixture
async def small() -> Counting:
    return Counting(3)


FRESH = FRESH_S + SHARE * 0.1


async def test_counts_at_once_where_nothing_was_counted_before(large: Counting) -> None:
    await large.recount.settle()

    assert (large.times, large.clock.slept) == (1, [])


async def test_many_are_counted_anew_only_a_while_after_somebody_asked(large: Counting) -> None:
    await large.recount.settle()
    large.clock.advance(FRESH + 1)
    await large.recount.settle()
    await large.recount.settle()
    await large.others_have_turns()
    assert (large.times, large.clock.slept) == (1, [LATER_S])

    large.clock.morning.set()
    await large.others_have_turns()
    assert large.times == 2


async def test_count_that_was_made_meanwhile_is_not_made_again(large: Counting) -> None:
    await large.recount.settle()
    large.clock.advance(FRESH + 1)
    await large.recount.settle()
    await large.others_have_turns()
    await large.recount.at_once()
    large.clock.morning.set()
    await large.others_have_turns()

    assert large.times == 2


async def test_who_cannot_use_the_last_count_waits_for_no_rest(large: Counting) -> None:
    await large.recount.settle()
    await large.recount.settle(is_of_use=False)
    large.clock.advance(LONGEST_S + 2 * FRESH)
    await large.recount.settle()

    assert (large.times, large.clock.slept) == (3, [])


async def test_few_are_counted_anew_beside_who_asked(small: Counting) -> None:
    await small.recount.settle()
    small.clock.advance(FRESH + 1)
    await small.recount.settle()
    await small.others_have_turns()

    assert (small.times, small.clock.slept) == (2, [])


async def test_who_asks_while_it_is_counted_waits_for_the_same_count(large: Counting) -> None:
    await asyncio.gather(*(large.recount.settle() for _ in range(10)))

    assert large.times == 1
