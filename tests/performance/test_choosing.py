"""Row 3: choosing an account costs the same in a large pool as in a small one, with half of the accounts busy."""

import time
from dataclasses import replace
from random import Random

import pytest

from flow2api.domain.account import Capacity
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Need, SelectionPolicy
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import RoundRobin, register_selection_policies
from flow2api.testing.factories import AccountFactory, picture_spec
from flow2api.testing.fakes.virtual_time import VirtualClock
from tests.performance.executed_lines import executed_lines

NEED = Need(picture_spec())
SMALL, LARGE = 10, 100_000
ROUNDS, BATCH = 8, 40


async def half_busy_pool(size: int) -> AccountPool:
    pool = AccountPool(MemorySlots(), VirtualClock(), Random(1))
    model = AccountFactory.build(id=1, capacity=Capacity(image=1))
    for number in range(1, size + 1):
        pool.put(replace(model, id=number, weight=(1, 2, 5, 10)[number % 4], priority=number // 2 % 2))
    pool.prepare([NEED.signature])
    for number in range(1, size, 2):
        await pool.take(number, MediaKind.IMAGE)
    return pool


def choose(pool: AccountPool, policy: SelectionPolicy) -> None:
    for _ in range(BATCH):
        assert pool.choose(NEED, policy, ()) is not None


async def lease(pool: AccountPool, policy: SelectionPolicy) -> None:
    for _ in range(BATCH):
        async with await pool.acquire(NEED, policy):
            pass


async def lines(pool: AccountPool, policy: SelectionPolicy) -> int:
    """What choosing and leasing execute."""
    with executed_lines() as executed:
        choose(pool, policy)
        await lease(pool, policy)
    return executed.lines


async def seconds(pool: AccountPool, policy: SelectionPolicy) -> float:
    """What they take at best, the work of the interpreter's own functions included."""
    samples = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        choose(pool, policy)
        await lease(pool, policy)
        samples.append(time.process_time() - begun)
    return min(samples)


async def test_cost_does_not_grow_with_the_pool() -> None:
    small, large = await half_busy_pool(SMALL), await half_busy_pool(LARGE)
    executed, taken = {}, {}
    for named in register_selection_policies():
        policy = named.build()
        executed[named.name] = await lines(large, policy) / await lines(small, policy)
        taken[named.name] = await seconds(large, policy) / await seconds(small, policy)
    assert executed == {name: pytest.approx(1.0, abs=0.25) for name in executed}
    assert taken == {name: pytest.approx(1.0, abs=3.0) for name in taken}


async def test_cost_does_not_grow_with_the_tags_to_which_keys_are_bound() -> None:
    pool, policy = await half_busy_pool(SMALL), RoundRobin()
    before = await lines(pool, policy)
    pool.prepare(replace(NEED, tag=f"tag {number}").signature for number in range(200))
    assert await lines(pool, policy) < 1.1 * before
