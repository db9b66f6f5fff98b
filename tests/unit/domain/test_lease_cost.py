"""Choosing costs the same in a large pool as in a small one: a ratio, for the machine may be busy."""

import time
from dataclasses import replace
from random import Random

import pytest

from flow2api.domain.account import Capacity
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Need, SelectionPolicy
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import register_selection_policies
from tests.factories import AccountFactory, picture_spec
from tests.fakes.virtual_time import VirtualClock

NEED = Need(picture_spec())
SMALL, LARGE = 10, 100_000
ROUNDS, BATCH = 30, 50


async def half_busy_pool(size: int) -> AccountPool:
    pool = AccountPool(MemorySlots(), VirtualClock(), Random(1))
    model = AccountFactory.build(id=1, capacity=Capacity(image=1))
    for number in range(1, size + 1):
        pool.put(replace(model, id=number, weight=(1, 2, 5, 10)[number % 4], priority=number // 2 % 2))
    pool.prepare([NEED.signature])
    for number in range(1, size, 2):
        await pool.take(number, MediaKind.IMAGE)
    return pool


def choice_s(pool: AccountPool, policy: SelectionPolicy) -> float:
    """Seconds of a batch of choices, at best."""
    samples = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(BATCH):
            assert pool._choose(NEED, policy, ()) is not None
        samples.append(time.process_time() - begun)
    return min(samples)


async def lease_s(pool: AccountPool, policy: SelectionPolicy) -> float:
    """Seconds of a batch of leases, at best."""
    samples = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(BATCH):
            async with await pool.acquire(NEED, policy):
                pass
        samples.append(time.process_time() - begun)
    return min(samples)


async def test_cost_does_not_grow_with_the_pool() -> None:
    small, large = await half_busy_pool(SMALL), await half_busy_pool(LARGE)
    ratios = {}
    for named in register_selection_policies():
        policy = named.build()
        ratios[f"{named.name}, choice"] = choice_s(large, policy) / choice_s(small, policy)
        ratios[f"{named.name}, lease"] = await lease_s(large, policy) / await lease_s(small, policy)
    assert ratios == {name: pytest.approx(1.0, rel=0, abs=3.0) for name in ratios}
