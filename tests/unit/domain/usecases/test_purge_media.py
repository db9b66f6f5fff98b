"""The retention sweep."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from flow2api.domain.errors import MediaError, StorageBusyError
from flow2api.domain.usecases import purge_media
from flow2api.domain.usecases.purge_media import SWEEP_EVERY_S, PurgeMedia
from flow2api.testing.fakes.media import fake_picture, in_chunks
from tests.unit.domain.usecases.stage import Stage, swap


@pytest.fixture
def purge(stage: Stage) -> PurgeMedia:
    return PurgeMedia(stage.storage.media, stage.world.store, stage.clock, stage.storage.ping)


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


async def test_sweeps_every_few_minutes_whatever_fails(
    stage: Stage, purge: PurgeMedia, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.media("a", expires_at=stage.clock.now())
    stage.tables.fault = StorageBusyError("locked")
    sweeping = asyncio.create_task(purge.run())
    await stage.clock.sleep(1)
    assert stage.tables.media
    await stage.clock.sleep(3 * SWEEP_EVERY_S)
    assert [record.message for record in caplog.records] == ["media not purged: locked"]
    stage.tables.fault = None
    await stage.clock.sleep(SWEEP_EVERY_S)
    assert not stage.tables.media
    stage.tables.fault = StorageBusyError("again")
    await stage.clock.sleep(2 * SWEEP_EVERY_S)
    assert [record.message for record in caplog.records][1:] == ["media not purged: again"]
    await stage.clock.sleep(SWEEP_EVERY_S)
    assert not sweeping.done()
    sweeping.cancel()


async def test_bytes_that_were_put_again_meanwhile_stay(stage: Stage, purge: PurgeMedia) -> None:
    """A put of the same bytes comes between the end of the old row and the deletion, and its row only afterwards."""
    old = await stage.media("same", expires_at=stage.clock.now())
    await stage.clock.sleep(60)
    remove = stage.storage.media.remove

    async def remove_and_put(media_ids: Sequence[str]) -> Sequence[str]:
        unnamed = await remove(media_ids)
        await stage.world.store.put(in_chunks(fake_picture(salt="same")))
        return unnamed

    swap(stage.storage.media, remove=remove_and_put)
    assert await purge() == 1
    assert set(stage.world.store.contents) == {old.sha256}


async def test_store_that_knows_no_ages_is_simply_told(stage: Stage) -> None:
    class Plain:
        def __init__(self) -> None:
            self.deleted: list[str] = []

        async def delete(self, sha256: str) -> None:
            self.deleted.append(sha256)

    plain = Plain()
    purge = PurgeMedia(stage.storage.media, plain, stage.clock, stage.storage.ping)  # type: ignore[arg-type]
    media = await stage.media("a", expires_at=stage.clock.now())
    assert await purge() == 1
    assert plain.deleted == [media.sha256]
    assert await purge.drop_unnamed() == 0


class TestBytesWithoutMedia:
    async def test_go_after_an_hour(self, stage: Stage, purge: PurgeMedia) -> None:
        await stage.world.store.put(in_chunks(b"cut before its row was written"))
        kept = await stage.media("kept")
        await stage.clock.sleep(3599)
        assert await purge.drop_unnamed() == 0
        young = await stage.world.store.put(in_chunks(b"its row is yet to come"))
        await stage.clock.sleep(1)
        assert await purge.drop_unnamed() == 1
        assert set(stage.world.store.contents) == {kept.sha256, young.sha256}

    async def test_stay_when_they_are_put_again_while_it_looks(self, stage: Stage, purge: PurgeMedia) -> None:
        await stage.world.store.put(in_chunks(b"again"))
        await stage.clock.sleep(3600)
        named = stage.storage.media.named

        async def named_and_put(digests: Sequence[str]) -> frozenset[str]:
            known = await named(digests)
            await stage.world.store.put(in_chunks(b"again"))
            return known

        swap(stage.storage.media, named=named_and_put)
        assert await purge.drop_unnamed() == 0
        assert len(stage.world.store.contents) == 1

    async def test_stay_when_they_are_most_of_what_is_there(
        self, stage: Stage, purge: PurgeMedia, caplog: pytest.LogCaptureFixture
    ) -> None:
        """So does a folder that belongs to another database."""
        for number in range(30):
            await stage.world.store.put(in_chunks(b"%d" % number))
        for number in range(29):
            await stage.media(str(number))
        await stage.clock.sleep(3600)
        assert await purge.drop_unnamed() == 0
        assert "belong together" in caplog.text
        await stage.media("29")
        await stage.clock.sleep(3600)
        assert await purge.drop_unnamed() == 30

    async def test_are_looked_at_some_thousand_at_a_time(
        self, stage: Stage, purge: PurgeMedia, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(purge_media, "_MOST_UNNAMED", 3)
        for number in range(5):
            await stage.world.store.put(in_chunks(b"%d" % number))
        await stage.clock.sleep(3600)
        assert await purge.drop_unnamed() == 3
        assert await purge.drop_unnamed() == 2

    async def test_go_with_the_sweeps(self, stage: Stage, purge: PurgeMedia) -> None:
        await stage.world.store.put(in_chunks(b"cut before its row was written"))
        sweeping = asyncio.create_task(purge.run())
        await stage.clock.sleep(2 * 3600)
        assert not stage.world.store.contents
        sweeping.cancel()

    async def test_stay_until_the_database_has_taken_what_waited_for_it(self, stage: Stage, purge: PurgeMedia) -> None:
        """The row of a paid video is written half a minute after the database is well again; its bytes wait for it."""
        await stage.world.store.put(in_chunks(b"paid"))
        stage.tables.fault = StorageBusyError("locked")
        sweeping = asyncio.create_task(purge.run())
        await stage.clock.sleep(3 * SWEEP_EVERY_S + 3600)
        stage.tables.fault = None
        await stage.clock.sleep(31)
        assert stage.world.store.contents
        await stage.media("its row", sha256=next(iter(stage.world.store.contents)))
        await stage.clock.sleep(3 * 3600)
        assert next(iter(stage.world.store.contents.values())) == b"paid"
        sweeping.cancel()
