"""Nothing is paid for that could not be kept."""

import asyncio
from dataclasses import replace

import pytest

from flow2api.domain.errors import StorageError, StorageFullError
from flow2api.domain.generation import Fault, Input, InputRole
from flow2api.domain.usecases.recall_requests import Idempotency
from flow2api.domain.usecases.watch_room import LOOK_EVERY_S, WatchRoom
from tests.unit.domain.usecases.stage import FILM, LARGE_FILM, PAID_PAINT, PAINT, Stage, swap

MB = 1024 * 1024


async def shrink(stage: Stage, room_mb: int | None) -> None:
    """Let there be so much room, and let it be seen."""
    stage.world.store.room_bytes = None if room_mb is None else room_mb * MB
    await stage.room.look()


@pytest.mark.parametrize(("room_mb", "problem"), [(None, None), (256, None), (255, "media_full"), (0, "media_full")])
async def test_problem_is_too_little_room(stage: Stage, room_mb: int | None, problem: str | None) -> None:
    assert stage.room.problem is None
    await shrink(stage, room_mb)
    assert stage.room.problem == problem


@pytest.mark.parametrize(
    ("fault", "problem"),
    [(StorageFullError("full"), "media_full"), (StorageError("read-only"), "media_unavailable")],
)
async def test_problem_is_what_the_store_says(stage: Stage, fault: StorageError, problem: str) -> None:
    stage.world.store.fault = fault
    await stage.room.look()
    assert stage.room.problem == problem
    with pytest.raises(type(fault), match="nothing was begun"):
        stage.room.check(FILM)
    stage.room.check(PAINT)


async def test_problem_is_a_store_that_does_not_answer(stage: Stage) -> None:
    swap(stage.world.store, room=asyncio.Event().wait)
    await stage.room.look()
    assert stage.room.problem == "media_unavailable"
    assert stage.clock.monotonic() < 60


async def test_operator_says_how_much_is_enough(stage: Stage) -> None:
    stage.configure(media_room_mb=0)
    await shrink(stage, 0)
    assert stage.room.problem is None


async def test_store_that_tells_no_room_is_no_problem(stage: Stage) -> None:
    room = WatchRoom(object(), stage.clock, lambda: stage.options)  # type: ignore[arg-type]
    await room.look()
    assert room.problem is None


async def test_each_change_is_told_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for room_mb in (500, 200, 100, 257, 319, 320, 300, 500):
        await shrink(stage, room_mb)
    told = [record.message for record in caplog.records if record.name.endswith("watch_room")]
    assert [one.partition(":")[0] for one in told] == ["media cannot be kept", "media can be kept again"]
    assert "200 MB" in told[0]


async def test_looks_every_few_seconds(stage: Stage) -> None:
    watching = asyncio.create_task(stage.room.run())
    stage.world.store.room_bytes = 0
    await stage.clock.sleep(LOOK_EVERY_S + 1)
    assert stage.room.problem == "media_full"
    stage.world.store.room_bytes = None
    await stage.clock.sleep(LOOK_EVERY_S)
    assert stage.room.problem is None
    watching.cancel()


class TestFullStore:
    @pytest.mark.parametrize("spec", [FILM, PAID_PAINT], ids=["video", "picture"])
    async def test_refuses_what_costs_credits_before_anything_is_begun(self, stage: Stage, spec: object) -> None:
        await stage.accounts(1)
        await shrink(stage, 10)
        again = Idempotency("key", b"digest")
        with pytest.raises(StorageFullError, match="too little room"):
            await stage.all_events(spec, idempotency=again)  # type: ignore[arg-type]
        assert not stage.upstream.calls
        assert not stage.tables.generations
        await shrink(stage, None)
        await stage.made(spec, idempotency=again)  # type: ignore[arg-type]

    async def test_lets_pictures_that_cost_nothing_be_tried(self, stage: Stage) -> None:
        await stage.accounts(1)
        await shrink(stage, 10)
        await stage.made(PAINT)

    async def test_that_became_so_while_a_video_waited_ends_it_before_it_is_paid(self, stage: Stage) -> None:
        await stage.accounts(1)
        gate = stage.upstream.hold("upload")
        picture = await stage.media("a")
        events = stage.events(FILM, inputs=(Input(picture.id, InputRole.START),))
        accepted = await anext(events)
        await shrink(stage, 10)
        gate.set()
        await stage.until_done()
        fault = stage.stored(accepted.generation.id).fault
        assert isinstance(fault, Fault)
        assert fault.code == "storage_full"
        assert stage.upstream.count("submit") == 0
        assert stage.known(1) == replace(stage.known(1), rests=())
        await events.aclose()

    async def test_that_became_so_before_an_enlargement_leaves_the_plain_video(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 60.0
        making = asyncio.create_task(stage.made(LARGE_FILM))
        while not stage.upstream.count("submit"):
            await stage.clock.sleep(1)
        await shrink(stage, 10)
        finished = await making
        assert stage.upstream.count("submit") == 1
        assert "could not be enlarged" in finished.generation.warnings[0]
        assert finished.media[0].sha256 in stage.world.store.contents
