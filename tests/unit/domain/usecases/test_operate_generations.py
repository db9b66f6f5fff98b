"""Operators end generations, repeat them, and delete what came of them; the audit log tells it."""

from dataclasses import replace
from typing import Any

import pytest

from flow2api.domain.audit import Actor
from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.errors import (
    ConflictError,
    GenerationNotFoundError,
    MediaGoneError,
    StorageFullError,
    UnknownModelError,
)
from flow2api.domain.generation import FailedAttempt, Generation, GenerationRequest, Input, InputRole, State
from flow2api.domain.usecases.operate_generations import OperateGenerations, may_move, tried
from flow2api.testing.fakes.generations import FakeGenerations
from flow2api.testing.samples import generation_of, media_of
from tests.unit.domain.usecases.stage import CALLER, FILM, PAINT, SPECS, Stage

ACTOR = Actor(name="ann", door="console")


def operating(stage: Stage, generations: Any = None) -> OperateGenerations:
    return OperateGenerations(
        stage.work,
        stage.generate,
        ModelCatalog(SPECS),
        generations or stage.storage.generations,
        stage.storage.media,
        stage.world.store,
        stage.storage.audit_log,
        stage.clock,
    )


def told(stage: Stage) -> list[tuple[str, str | None]]:
    return [(entry.action, entry.subject) for entry in stage.tables.audit]


async def made(stage: Stage) -> Generation:
    await stage.accounts(2)
    finished = await stage.made(PAINT)
    await stage.until_done()
    return finished.generation


async def test_cancelled_one_that_runs_here_ends(stage: Stage) -> None:
    await stage.accounts(1)
    (mine,) = await stage.generate.begin(GenerationRequest(model="x", spec=FILM, prompt="a"), CALLER)

    await operating(stage).cancel(mine.id, ACTOR)

    ended = await stage.storage.generations.get(mine.id)
    assert ended is not None
    assert ended.state is State.CANCELLED
    assert told(stage) == [("generation.cancelled", mine.id)]


async def test_cancelled_one_of_another_process_learns_it_by_the_fence(stage: Stage) -> None:
    await stage.storage.generations.add([replace(generation_of("video_1"), owner="other", fence=3)])

    await operating(stage).cancel("video_1", ACTOR)

    ended = await stage.storage.generations.get("video_1")
    assert ended is not None
    assert (ended.state, ended.fence) == (State.CANCELLED, 4)


async def test_what_has_ended_or_is_unknown_cannot_be_cancelled(stage: Stage) -> None:
    ended = await made(stage)

    with pytest.raises(ConflictError):
        await operating(stage).cancel(ended.id, ACTOR)
    with pytest.raises(GenerationNotFoundError):
        await operating(stage).cancel("gen_none", ACTOR)
    assert told(stage) == []


async def test_cancelling_gives_up_when_others_take_it_over_again_and_again(stage: Stage) -> None:
    class Contended(FakeGenerations):
        async def save(self, generation: Generation, media: Any = ()) -> bool:
            return False

    await stage.storage.generations.add([generation_of("video_1")])

    with pytest.raises(ConflictError, match="taking it over"):
        await operating(stage, Contended(stage.tables)).cancel("video_1", ACTOR)


async def test_repeated_one_is_asked_for_as_the_operators_own(stage: Stage) -> None:
    first = await made(stage)

    second = await operating(stage).repeat(first.id, ACTOR)
    await stage.until_done()

    ended = await stage.storage.generations.get(second.id)
    assert ended is not None
    assert (ended.state, ended.key_id, ended.prompt, ended.door) == (State.COMPLETED, None, first.prompt, "console")
    assert told(stage) == [("generation.repeated", first.id)]


async def test_repeat_that_cannot_be_put_down_is_stopped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await made(stage)

    async def full(*_: object) -> None:
        raise StorageFullError("There is no room left.")

    monkeypatch.setattr(stage.storage.audit_log, "note", full)
    with pytest.raises(StorageFullError):
        await operating(stage).repeat(first.id, ACTOR)

    await stage.until_done()
    states = {one.state for one in stage.tables.generations.values() if one.id != first.id}
    assert states == {State.CANCELLED}


async def test_repeated_elsewhere_goes_to_an_account_that_it_was_not_tried_on(stage: Stage) -> None:
    first = await made(stage)

    second = await operating(stage).repeat(first.id, ACTOR, elsewhere=True)
    await stage.until_done()

    ended = await stage.storage.generations.get(second.id)
    assert ended is not None
    assert ended.account_id not in (None, first.account_id)


async def test_what_cannot_be_repeated_is_told_why(stage: Stage) -> None:
    known: dict[str, dict[str, Any]] = {
        "video_runs": {},
        "video_gone": {"state": State.FAILED, "spec_name": "retired"},
        "video_input": {
            "state": State.FAILED,
            "spec_name": FILM.name,
            "inputs": (Input("med_gone", InputRole.START),),
        },
        "video_bound": {
            "state": State.FAILED,
            "spec_name": FILM.name,
            "inputs": (Input("med_1", InputRole.SOURCE),),
        },
    }
    await stage.storage.generations.add([replace(generation_of(name), **facts) for name, facts in known.items()])
    operate = operating(stage)

    with pytest.raises(ConflictError, match="not ended"):
        await operate.repeat("video_runs", ACTOR)
    with pytest.raises(UnknownModelError):
        await operate.repeat("video_gone", ACTOR)
    with pytest.raises(MediaGoneError):
        await operate.repeat("video_input", ACTOR)
    with pytest.raises(ConflictError, match="nowhere else"):
        await operate.repeat("video_bound", ACTOR, elsewhere=True)


async def test_deleted_results_are_gone_and_their_generation_stays(stage: Stage) -> None:
    first = await made(stage)
    await stage.storage.media.add([replace(media_of("med_input"), id="med_input")])
    operate = operating(stage)

    assert await operate.delete_results([*first.results, "med_none"], ACTOR) == len(first.results)

    assert await stage.storage.media.get(first.results) == []
    assert not stage.world.store.contents
    assert await stage.storage.generations.get(first.id) == first
    assert await operate.delete_results(first.results, ACTOR) == 0
    assert told(stage) == [("media.deleted", first.results[0])]


def test_accounts_that_it_was_tried_on_are_those_that_failed_and_the_last() -> None:
    failed = FailedAttempt(3, 0, 1, None, "upstream_error", "x")

    assert tried(replace(generation_of("video_1"), failed_attempts=(failed,), account_id=4)) == {3, 4}
    assert tried(generation_of("video_1")) == frozenset()
    assert may_move(generation_of("video_1"))
