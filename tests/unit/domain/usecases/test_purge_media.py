"""The retention sweep."""

import asyncio
from datetime import timedelta

import pytest

from flow2api.domain.errors import MediaError, StorageBusyError
from flow2api.domain.usecases.purge_media import SWEEP_EVERY_S, PurgeMedia
from tests.unit.domain.usecases.stage import Stage, swap


@pytest.fixture
def purge(stage: Stage) -> PurgeMedia:
    return PurgeMedia(stage.storage.media, stage.world.store, stage.clock)


async def test_what_has_expired_goes_with_its_bytes_and_the_rest_stays(stage: Stage, purge: PurgeMedia) -> None:
    soon, later = stage.clock.now() + timedelta(hours=1), stage.clock.now() + timedelta(hours=2)
    await stage.media("a", expires_at=soon)
    kept = await stage.media("b", expires_at=later)
    forever = await stage.media("c")
    assert await purge() == 0
    await stage.clock.sleep(3600)
    assert await purge() == 1
    assert set(stage.tables.media) == {kept.id, forever.id}
    assert set(stage.world.store.contents) == {kept.sha256, forever.sha256}


async def test_bytes_go_with_the_last_media_that_shares_them(stage: Stage, purge: PurgeMedia) -> None:
    soon, later = stage.clock.now() + timedelta(hours=1), stage.clock.now() + timedelta(hours=2)
    first, second = await stage.media("same", expires_at=soon), await stage.media("same", expires_at=later)
    assert first.sha256 == second.sha256
    await stage.clock.sleep(3600)
    assert await purge() == 1
    assert first.sha256 in stage.world.store.contents
    await stage.clock.sleep(3600)
    assert await purge() == 1
    assert not stage.world.store.contents


async def test_more_than_one_batch_goes_in_one_sweep(stage: Stage, purge: PurgeMedia) -> None:
    for number in range(1100):
        await stage.media(str(number), expires_at=stage.clock.now())
    assert await purge() == 1100
    assert not stage.world.store.contents


async def test_bytes_that_cannot_be_deleted_hold_nothing_back(stage: Stage, purge: PurgeMedia) -> None:
    stuck = await stage.media("a", expires_at=stage.clock.now())
    await stage.media("b", expires_at=stage.clock.now())
    original = stage.world.store.delete

    async def refusing(sha256: str) -> None:
        if sha256 == stuck.sha256:
            raise MediaError("in use")
        await original(sha256)

    swap(stage.world.store, delete=refusing)
    assert await purge() == 2
    assert set(stage.world.store.contents) == {stuck.sha256}


async def test_sweeps_every_few_minutes_whatever_fails(stage: Stage, purge: PurgeMedia) -> None:
    await stage.media("a", expires_at=stage.clock.now())
    stage.tables.fault = StorageBusyError("locked")
    sweeping = asyncio.create_task(purge.run())
    await stage.clock.sleep(1)
    assert stage.tables.media
    stage.tables.fault = None
    await stage.clock.sleep(SWEEP_EVERY_S)
    assert not stage.tables.media
    await stage.clock.sleep(SWEEP_EVERY_S)
    assert not sweeping.done()
    sweeping.cancel()
