"""Slots of work that never ends come back."""

import asyncio

from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Need
from flow2api.domain.usecases.reclaim_leases import ReclaimLeases
from tests.unit.domain.usecases.stage import PAINT, Stage


async def test_lease_past_its_limit_is_given_back_within_a_minute(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.pool.acquire(Need(PAINT, limit_s=100), stage.policy)
    looking = asyncio.create_task(ReclaimLeases(stage.pool, stage.clock).run())
    await stage.clock.sleep(99)
    assert stage.pool.load_of(1, MediaKind.IMAGE) == 1
    await stage.clock.sleep(61)
    assert stage.pool.load_of(1, MediaKind.IMAGE) == 0
    looking.cancel()
