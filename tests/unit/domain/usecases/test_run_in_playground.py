"""Runs of operators: begun without a key, found again by who asked, stopped."""

import asyncio
from dataclasses import replace

import pytest

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import GenerationNotFoundError, NoEligibleAccountError, StorageError
from flow2api.domain.generation import Generation, GenerationRequest, State
from flow2api.domain.usecases.run_in_playground import MOST_KEPT, PlaygroundRun, RunInPlayground
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage

ADA = Actor(name="ada", door="console", operator_id=1)
BOB = Actor(name="bob", door="console", operator_id=2)


def playground(stage: Stage) -> RunInPlayground:
    storage = stage.storage
    return RunInPlayground(stage.generate, stage.work, storage.generations, storage.audit_log, stage.clock)


def asking(count: int = 1) -> GenerationRequest:
    return GenerationRequest(model=PAINT.name, spec=PAINT, prompt="a hill", count=count, door="playground")


def states(run: PlaygroundRun) -> list[State]:
    return [one.state for one in run.generations]


async def test_run_is_told_at_once_while_its_pictures_have_no_record_yet(stage: Stage) -> None:
    await stage.accounts(1)
    gate = stage.upstream.hold("produce")

    run = await playground(stage).start(asking(count=2), ADA)

    assert len(run.generations) == 2
    assert not run.is_over
    assert {one.key_id for one in run.generations} == {None}
    gate.set()
    await stage.until_done()
    ended = await playground(stage).get(run.id, 1)
    assert states(ended) == [State.COMPLETED, State.COMPLETED]
    assert ended.is_over


async def test_run_is_put_down_without_its_prompt(stage: Stage) -> None:
    await stage.accounts(1)

    run = await playground(stage).start(asking(), ADA)

    (noted,) = stage.tables.audit
    assert (noted.action, noted.actor, noted.subject) == (AuditAction.PLAYGROUND_RUN, ADA, run.id)
    assert noted.details == {"model": PAINT.name, "count": 1}
    await stage.until_done()


async def test_run_that_cannot_be_put_down_is_stopped(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.hold("produce")
    stage.tables.audit_fault = StorageError("The disk is full.")

    with pytest.raises(StorageError):
        await playground(stage).start(asking(), ADA)

    assert len(stage.work) == 0


async def test_run_that_nobody_can_serve_is_refused_and_not_put_down(stage: Stage) -> None:
    with pytest.raises(NoEligibleAccountError):
        await playground(stage).start(asking(), ADA)

    assert not stage.tables.audit
    await stage.until_done()


async def test_runs_are_their_operator_s_own(stage: Stage) -> None:
    await stage.accounts(1)
    desk = playground(stage)
    hers = await desk.start(asking(), ADA)
    await desk.start(asking(), BOB)
    await stage.until_done()

    assert [run.id for run in await desk.recent(1, "ada")] == [hers.id]
    assert [run.id for run in await desk.recent(2, "ada")] == []
    for other in (desk, playground(stage)):
        with pytest.raises(GenerationNotFoundError):
            await other.get(hers.id, 2)
        with pytest.raises(GenerationNotFoundError):
            await other.cancel(hers.id, BOB)
    with pytest.raises(GenerationNotFoundError):
        await desk.get("req_unknown", 1)


async def test_newest_runs_come_first_and_what_was_deleted_is_not_told(stage: Stage) -> None:
    await stage.accounts(1)
    desk = playground(stage)
    runs = [await desk.start(replace(asking(), seed=seed), ADA) for seed in range(MOST_KEPT + 1)]
    await stage.until_done()
    gone = runs[-1].generations[0].id
    stage.tables.generations[gone] = replace(stage.stored(gone), deleted_at=stage.clock.now())

    told = await desk.recent(1, "ada")

    assert [run.id for run in told] == [run.id for run in reversed(runs[1:-1])]


async def test_cancelled_run_is_stopped_and_put_down(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.hold("produce")
    desk = playground(stage)
    run = await desk.start(asking(count=2), ADA)

    assert await desk.cancel(run.id, ADA) == 2

    assert states(await desk.get(run.id, 1)) == [State.CANCELLED, State.CANCELLED]
    assert stage.tables.audit[-1].action == AuditAction.PLAYGROUND_CANCELLED
    assert await desk.cancel(run.id, ADA) == 0


async def test_only_so_many_runs_are_remembered_and_the_others_are_looked_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flow2api.domain.usecases.run_in_playground._REMEMBERED", 1)
    await stage.accounts(1)
    desk = playground(stage)
    first = await desk.start(asking(), ADA)
    await desk.start(asking(count=2), ADA)
    await stage.until_done()

    assert (await desk.get(first.id, 1)).id == first.id


async def test_run_whose_end_is_being_written_does_not_seem_to_have_ended(stage: Stage) -> None:
    await stage.accounts(1)
    job = stage.job(FILM, group_id="req_1", key_id=None, state=State.RUNNING)
    running: Generation = job.generation
    job.before_end, job.generation = running, running.completed((), stage.clock.now(), None)
    desk = playground(stage)
    stage.work._running["x"] = type("Running", (), {"job": job})()

    await stage.storage.audit_log.note(
        AuditEntry(at=stage.clock.now(), actor=ADA, action=AuditAction.PLAYGROUND_RUN, subject="req_1")
    )
    told = await desk.get("req_1", 1)

    assert states(told) == [State.RUNNING]
    stage.work._running.clear()


class TestPressedTwice:
    async def test_is_one_run_that_is_paid_once(self, stage: Stage) -> None:
        await stage.accounts(1)
        runs, asked = playground(stage), replace(asking(), model=FILM.name, spec=FILM)

        first, second = await asyncio.gather(runs.start(asked, ADA), runs.start(asked, ADA))
        await stage.until_done()

        assert first.id == second.id
        assert stage.upstream.count("submit") == 1
        assert len(stage.tables.audit) == 1

    async def test_what_differs_or_comes_from_somebody_else_is_a_run_of_its_own(self, stage: Stage) -> None:
        await stage.accounts(1)
        runs = playground(stage)

        begun = [await runs.start(asking(), ADA), await runs.start(asking(), BOB)]
        begun.append(await runs.start(replace(asking(), prompt="a lake"), ADA))
        await stage.until_done()

        assert len({run.id for run in begun}) == 3

    async def test_later_it_is_another_press(self, stage: Stage) -> None:
        await stage.accounts(1)
        runs = playground(stage)

        first = await runs.start(asking(), ADA)
        await stage.clock.sleep(3)
        second = await runs.start(asking(), ADA)
        await stage.until_done()

        assert first.id != second.id

    async def test_what_could_not_begin_is_tried_again(self, stage: Stage) -> None:
        runs = playground(stage)
        with pytest.raises(NoEligibleAccountError):
            await runs.start(asking(), ADA)
        await stage.accounts(1)
        assert (await runs.start(asking(), ADA)).generations
        await stage.until_done()
