"""The pool as a whole is counted in memory, seldom, and never for long."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flow2api.domain.account import Account, AccountStatus, RestReason
from flow2api.domain.lease import AccountPool
from flow2api.domain.usecases.count_accounts import CountAccounts
from flow2api.domain.usecases.keep_accounts_counted import LONGEST_S, MANY
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.clock import START, FakeClock


def account(number: int, **fields: Any) -> Account:
    basis = Account(id=number, upstream="flow", name="", created_at=START, access_expires_at=START + timedelta(days=1))
    return replace(basis, **fields)


def pool_of(*accounts: Account, clock: FakeClock) -> AccountPool:
    pool = AccountPool(MemorySlots(), clock)
    for one in accounts:
        pool.put(one)
    return pool


async def test_tells_how_many_stand_how() -> None:
    clock = FakeClock()
    now = clock.now()
    census = await CountAccounts(
        pool_of(
            account(1, credits=50),
            account(2, credits=7, access_expires_at=now + timedelta(minutes=30)),
            account(3, access_expires_at=None),
            account(4, access_expires_at=now),
            account(5).rate_limited(now, retry_after_s=60),
            account(6).rate_limited(now, retry_after_s=60, model="veo"),
            account(7).rate_limited(now, retry_after_s=60).resting(RestReason.MANUAL, now),
            account(8).resting(RestReason.AUTH_EXPIRED, now),
            clock=clock,
        ),
        clock,
    )()

    assert (census.total, census.active, census.credits) == (8, 5, 57)
    assert (census.warming, census.expired, census.expiring, census.rate_limited) == (1, 1, 1, 2)
    assert census.by_status == {
        AccountStatus.ACTIVE: 5,
        AccountStatus.COOLING_DOWN: 1,
        AccountStatus.SUSPENDED: 1,
        AccountStatus.DISABLED: 1,
    }
    assert census.resting == {RestReason.RATE_LIMITED: 1, RestReason.MANUAL: 1, RestReason.AUTH_EXPIRED: 1}


async def test_figures_are_a_second_old_at_most_in_a_small_pool() -> None:
    clock = FakeClock()
    pool = pool_of(account(1), clock=clock)
    count = CountAccounts(pool, clock)
    first = await count()
    pool.put(account(1).resting(RestReason.MANUAL, clock.now()))

    assert await count() is first
    clock.advance(1)
    assert (await count()).active == 0


async def test_account_that_came_or_went_counts_at_once_in_a_small_pool() -> None:
    clock = FakeClock()
    pool = pool_of(clock=clock)
    count = CountAccounts(pool, clock)
    assert (await count()).total == 0
    pool.put(account(1))
    assert (await count()).total == 1
    pool.remove(1)

    assert (await count()).total == 0


async def test_account_that_came_during_a_long_count_is_counted_too() -> None:
    clock = FakeClock()
    pool = pool_of(*(account(number) for number in range(1, 601)), clock=clock)
    count = CountAccounts(pool, clock)
    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pool.put(account(601))

    assert ((await count()).total, (await counting).total) == (601, 601)


async def test_who_asks_at_once_gets_the_same_count() -> None:
    clock = FakeClock()
    count = CountAccounts(pool_of(*(account(number) for number in range(1, 2000)), clock=clock), clock)

    counts = await asyncio.gather(*(count() for _ in range(20)))

    assert {id(one) for one in counts} == {id(counts[0])}


async def test_large_pool_holds_up_nobody() -> None:
    clock = FakeClock()
    count = CountAccounts(pool_of(*(account(number) for number in range(1, 50_001)), clock=clock), clock)
    turns, counting = 0, asyncio.create_task(count())
    while not counting.done():
        await asyncio.sleep(0)
        turns += 1

    assert (await counting).total == 50_000
    assert turns >= 50_000 / 500  # a turn of others comes after every few accounts


async def test_who_asks_now_and_again_in_a_large_pool_does_not_wait_for_the_count() -> None:
    clock = FakeClock()
    pool = pool_of(*(account(number) for number in range(1, 1001)), clock=clock)
    count = CountAccounts(pool, clock)
    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.advance(0.1)  # so long it takes to count; the figures are used for 6 s, and 5 s more while newer ones come
    first = await counting
    pool.put(account(1).resting(RestReason.MANUAL, clock.now()))

    clock.advance(6.5)
    assert await count() is first
    for _ in range(9):
        await asyncio.sleep(0)
    assert (await count()).active == 999
    pool.put(account(2).resting(RestReason.MANUAL, clock.now()))
    clock.advance(60)
    assert (await count()).active == 998


async def test_first_question_after_a_long_time_is_answered_at_once_where_many_are_counted_meanwhile() -> None:
    clock = FakeClock()
    pool = pool_of(*(account(number) for number in range(1, MANY + 2)), clock=clock)
    count = CountAccounts(pool, clock)
    await count.count()
    clock.advance(LONGEST_S - 1)
    pool.remove(1)

    assert (await count()).total == MANY + 1  # as it was counted; newer figures come
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "count accounts"))
    assert (await count()).total == MANY
