"""The record of a generation while it is worked on, and who hears of it."""

import asyncio

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.generation import (
    Accepted,
    Failed,
    Fault,
    Finished,
    GenerationEvent,
    MediaReady,
    Phase,
    Progressed,
    State,
)
from flow2api.domain.usecases.job import Audience, Job, TakenOverError
from flow2api.testing.factories import MediaFactory
from tests.unit.domain.usecases.stage import FILM, Stage, swap


def heard(queue: "asyncio.Queue[GenerationEvent]") -> list[GenerationEvent]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


def watched(stage: Stage, **fields: object) -> tuple[Job, "asyncio.Queue[GenerationEvent]"]:
    job = stage.job(FILM, **fields)
    queue: asyncio.Queue[GenerationEvent] = asyncio.Queue()
    stage.audience.join(job.generation.id, queue)
    return job, queue


async def test_audience_hears_only_while_it_is_there() -> None:
    audience = Audience()
    here: asyncio.Queue[GenerationEvent] = asyncio.Queue()
    stranger: asyncio.Queue[GenerationEvent] = asyncio.Queue()
    audience.leave("gen_1", here)
    audience.join("gen_1", here)
    audience.leave("gen_1", stranger)
    job = Stage().job(FILM, id="gen_1")
    audience.tell(Accepted(job.generation))
    audience.leave("gen_1", here)
    audience.tell(Accepted(job.generation))
    assert here.qsize() == 1
    assert not audience._queues


async def test_acceptance_is_told_once(stage: Stage) -> None:
    job, queue = watched(stage)
    job.accept()
    job.accept()
    assert [type(event) for event in heard(queue)] == [Accepted]


async def test_only_a_step_forward_is_progress(stage: Stage) -> None:
    job, queue = watched(stage)
    for percent in (10, 5, 10, 40, 100):
        job.progress(percent)
    assert [event.generation.progress for event in heard(queue)] == [10, 40, 99]


async def test_phase_is_told_and_marks_the_beginning(stage: Stage) -> None:
    job, queue = watched(stage)
    states = [job.generation.state]
    job.enter(Phase.UPLOADING)
    await stage.clock.sleep(5)
    job.enter(Phase.SUBMITTING, "on its way")
    assert [event.note for event in heard(queue) if isinstance(event, Progressed)] == ["uploading", "on its way"]
    assert job.generation.started_at is not None
    assert (stage.clock.now() - job.generation.started_at).total_seconds() == 5
    assert [*states, job.generation.state] == [State.QUEUED, State.RUNNING]


async def test_same_warning_is_given_once(stage: Stage) -> None:
    job = stage.job(FILM)
    job.warn("smaller")
    job.warn("smaller")
    assert job.generation.warnings == ("smaller",)


async def test_first_save_adds_with_a_lease_and_the_next_ones_overwrite(stage: Stage) -> None:
    job = stage.job(FILM)
    await job.save()
    row = stage.stored(job.generation.id)
    assert row.lease_until is not None
    assert (row.lease_until - stage.clock.now()).total_seconds() == 45
    job.note(progress=7)
    await job.save()
    assert stage.stored(job.generation.id).progress == 7


async def test_newer_owner_is_not_overwritten(stage: Stage) -> None:
    job = stage.job(FILM)
    await job.save()
    await stage.clock.sleep(60)
    await stage.storage.generations.take_over("another", 45, 10)
    with pytest.raises(TakenOverError):
        await job.save()
    with pytest.raises(TakenOverError):
        await job.finish([], None)


async def test_end_is_told_after_it_is_written(stage: Stage) -> None:
    job, queue = watched(stage)
    media = MediaFactory.build(id="media_1")
    await job.save()
    await job.finish([media], None)
    assert [type(event) for event in heard(queue)] == [MediaReady, Finished]
    assert job.is_over
    assert stage.stored(job.generation.id).results == ("media_1",)
    assert "media_1" in stage.tables.media


async def test_result_of_a_job_that_was_never_stored_is_stored_with_it(stage: Stage) -> None:
    job = stage.job(FILM)
    await job.finish([MediaFactory.build(id="media_1")], None)
    assert stage.stored(job.generation.id).state is State.COMPLETED
    assert "media_1" in stage.tables.media


async def test_refusal_of_what_was_never_accepted_is_told_and_not_stored(stage: Stage) -> None:
    job, queue = watched(stage)
    await job.end(job.generation.failed(Fault("x", "y"), stage.clock.now()), tree.PoolBusyError({}))
    assert [type(event) for event in heard(queue)] == [Failed]
    assert not stage.tables.generations


class TestBusyDatabase:
    async def test_good_end_is_written_as_soon_as_it_can_be(self, stage: Stage) -> None:
        job, queue = watched(stage)
        await job.save()
        stage.tables.fault = tree.StorageBusyError("locked")
        finishing = asyncio.create_task(job.finish([MediaFactory.build(id="media_1")], None))
        await stage.clock.sleep(2)
        assert queue.empty()
        stage.tables.fault = None
        await finishing
        assert [type(event) for event in heard(queue)] == [MediaReady, Finished]

    async def test_who_watches_is_not_kept_for_ever_and_the_end_is_written_all_the_same(self, stage: Stage) -> None:
        job, queue = watched(stage)
        await job.save()
        stage.tables.fault = tree.StorageFullError("full")
        finishing = asyncio.create_task(job.finish([MediaFactory.build(id="media_1")], None))
        await stage.clock.sleep(20)
        (told,) = heard(queue)
        assert isinstance(told, Failed)
        assert isinstance(told.error, tree.StorageFullError)
        await stage.clock.sleep(7200)
        stage.tables.fault = None
        await finishing
        assert heard(queue) == []
        assert stage.stored(job.generation.id).state is State.COMPLETED

    async def test_bad_news_is_told_at_once_and_written_later(self, stage: Stage) -> None:
        job, queue = watched(stage)
        await job.save()
        stage.tables.fault = tree.StorageBusyError("locked")
        error = tree.ContentBlockedError()
        ended = job.generation.failed(Fault("moderation_blocked", "no"), stage.clock.now())
        ending = asyncio.create_task(job.end(ended, error))
        await stage.clock.sleep(0.1)
        (told,) = heard(queue)
        assert isinstance(told, Failed)
        assert told.error is error
        await stage.clock.sleep(100)
        stage.tables.fault = None
        await ending
        assert heard(queue) == []
        assert stage.stored(job.generation.id).state is State.FAILED

    async def test_lock_itself_is_told_before_its_end_waits_for_the_same_lock(self, stage: Stage) -> None:
        job, queue = watched(stage)
        await job.save()
        original = stage.storage.generations.save

        async def locked(*args: object) -> bool:
            await stage.clock.sleep(5)
            raise tree.StorageBusyError("locked")

        swap(stage.storage.generations, save=locked)
        ended = job.generation.failed(Fault("storage_busy", "locked"), stage.clock.now())
        ending = asyncio.create_task(job.end(ended, tree.StorageBusyError("locked")))
        await stage.clock.sleep(0.1)
        assert [type(event) for event in heard(queue)] == [Failed]
        swap(stage.storage.generations, save=original)
        await ending
        assert heard(queue) == []
        assert stage.stored(job.generation.id).state is State.FAILED

    async def test_row_that_never_was_is_given_up(self, stage: Stage) -> None:
        job, queue = watched(stage)
        job.accept()
        stage.tables.fault = tree.StorageBusyError("locked")
        await job.end(job.generation.failed(Fault("x", "y"), stage.clock.now()), tree.StorageBusyError("locked"))
        assert [type(event) for event in heard(queue)] == [Accepted, Failed]
        assert not stage.tables.generations

    async def test_end_that_was_written_though_the_database_said_otherwise_is_an_end(self, stage: Stage) -> None:
        job, queue = watched(stage)
        await job.save()
        original = stage.storage.generations.save

        async def doubtful(*args: object) -> bool:
            await original(*args)  # type: ignore[arg-type]
            swap(stage.storage.generations, save=original)
            raise tree.StorageBusyError("the answer was lost")

        swap(stage.storage.generations, save=doubtful)
        await job.finish([MediaFactory.build(id="media_1")], None)
        assert isinstance(heard(queue)[-1], Finished)
        assert stage.stored(job.generation.id).state is State.COMPLETED

    async def test_true_conflict_is_not_taken_for_an_end(self, stage: Stage) -> None:
        job = stage.job(FILM)
        await job.save()
        stage.tables.media["media_1"] = MediaFactory.build(id="media_1")
        with pytest.raises(tree.ConflictError):
            await job.finish([MediaFactory.build(id="media_1")], None)


async def test_leaving_tells_and_writes_nothing(stage: Stage) -> None:
    job, queue = watched(stage)
    job.leave(tree.ShuttingDownError("later"))
    assert [type(event) for event in heard(queue)] == [Failed]
    assert not stage.tables.generations
