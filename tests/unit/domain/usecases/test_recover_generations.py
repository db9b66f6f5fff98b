"""A process that dies at any moment loses nothing, and nothing is paid twice."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import StorageBusyError
from flow2api.domain.generation import Finished, Input, InputRole, Phase, State
from flow2api.domain.generation import Stage as Step
from flow2api.domain.usecases.job import TakenOverError
from flow2api.domain.usecases.recover_generations import RecoverGenerations
from tests.factories import GenerationFactory
from tests.unit.domain.usecases.mortality import Life
from tests.unit.domain.usecases.stage import FILM, LARGE_FILM, PAINT, SPECS, Stage, World, swap

LEASE_S = 46.0


async def begin(world: World, life: Life, spec: ModelSpec, *, with_input: bool) -> Stage:
    """A first process that begins one generation and is killed when its life ends."""
    setting_up = Stage(world)
    await setting_up.account()
    await setting_up.account()
    inputs = (Input((await setting_up.media()).id, InputRole.START),) if with_input else ()
    world.upstream.video_s = 20.0
    world.upstream.calls.clear()
    first = Stage(world, between=life.between)
    await first.load()
    life.calls.clear()
    watching = asyncio.create_task(first.all_events(spec, inputs=inputs))
    dying = asyncio.create_task(life.died.wait())
    await asyncio.wait([watching, dying], return_when=asyncio.FIRST_COMPLETED)
    life.is_over = True
    dying.cancel()
    watching.cancel()
    return first


async def next_life(world: World) -> Stage:
    """A process that comes after, and works until nothing is left to be done."""
    await world.clock.sleep(LEASE_S)
    second = Stage(world)
    await second.load()
    await second.recover.take_over()
    await second.until_done()
    return second


async def trace_of(spec: ModelSpec, *, with_input: bool) -> list[str]:
    life = Life()
    await begin(World(), life, spec, with_input=with_input)
    return life.calls


def submits(world: World, step: Step) -> int:
    orders = [call.order for call in world.upstream.calls if call.name == "submit"]
    return sum(1 for order in orders if order is not None and order.stage is step)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("spec", "with_input"), [(FILM, False), (FILM, True), (LARGE_FILM, False)])
async def test_video_survives_a_kill_at_every_step(spec: ModelSpec, with_input: bool, after: bool) -> None:
    steps = await trace_of(spec, with_input=with_input)
    assert "upstream.submit" in steps
    assert "upstream.poll" in steps
    ends = dict[int, str]()
    for number, step in enumerate(steps):
        world = World()
        life = Life(ends_at=number, after=after)
        await begin(world, life, spec, with_input=with_input)
        assert life.died.is_set(), step
        if not world.tables.generations:
            continue  # killed before anybody was told of it
        await next_life(world)

        (row,) = world.tables.generations.values()
        ends[number] = row.state.value
        assert row.state.is_final, step
        assert submits(world, Step.MAKE) <= 1, step
        assert submits(world, Step.ENLARGE) <= 1, step
        assert sum(player.credits for player in world.upstream.players) >= 2000 - 20 * (
            submits(world, Step.MAKE) + submits(world, Step.ENLARGE)
        )
        if row.state is State.COMPLETED:
            assert [media.generation_id for media in world.tables.media.values() if media.role == "result"] == [row.id]
        else:
            assert row.fault is not None
            assert row.fault.code == "upstream_state_unknown", step
    # Only what is caught between the mark before the submit and its answer is not known.
    unknown = [number for number, end in ends.items() if end == "failed"]
    submit = steps.index("upstream.submit")
    assert set(unknown) <= {submit - 1, submit, submit + 1}
    assert len(ends) > len(unknown) + 3


async def test_goes_on_with_the_account_that_made_it() -> None:
    world, life = World(), Life()
    world.upstream.video_s = 1e6
    first = Stage(world, between=life.between)
    await first.account()
    await first.account()
    world.upstream.video_s = 100.0
    accepted = await anext(first.events(FILM))
    await first.clock.sleep(30)
    life.is_over = True
    made_by = first.stored(accepted.generation.id).account_id
    second = await next_life(world)
    row = world.tables.generations[accepted.generation.id]
    assert (row.state, row.account_id, row.rescues) == (State.COMPLETED, made_by, 1)
    assert {call.account_id for call in world.upstream.calls if call.name == "poll"} == {made_by}
    assert second.pool.load_of(made_by or 0, FILM.kind) == 0


async def test_video_that_was_ready_for_hours_is_fetched_after_a_long_stop() -> None:
    world, life = World(), Life()
    first = Stage(world, between=life.between)
    await first.account()
    world.upstream.video_s = 300.0
    accepted = await anext(first.events(FILM))
    await first.clock.sleep(30)
    life.is_over = True
    await world.clock.sleep(5 * 3600)
    await next_life(world)
    assert world.tables.generations[accepted.generation.id].state is State.COMPLETED


@pytest.mark.parametrize("phase", [Phase.SUBMITTING, Phase.POLLING, Phase.STORING])
async def test_picture_that_was_under_way_is_not_made_again(phase: Phase) -> None:
    stage = Stage()
    await stage.accounts(1)
    row = stage.job(PAINT, state=State.RUNNING, phase=phase, owner=None).generation
    stage.tables.generations[row.id] = row
    await stage.recover.take_over()
    await stage.until_done()
    assert stage.stored(row.id).fault.code == "upstream_state_unknown"  # type: ignore[union-attr]
    assert stage.upstream.count("produce") == 0


async def test_picture_that_was_waiting_starts_over() -> None:
    stage = Stage()
    await stage.accounts(1)
    row = stage.job(PAINT, owner=None).generation
    stage.tables.generations[row.id] = row
    assert await stage.recover.take_over() == 1
    await stage.until_done()
    assert stage.stored(row.id).state is State.COMPLETED


async def test_video_whose_account_was_removed_ends_honestly() -> None:
    stage = Stage()
    await stage.accounts(1)
    operation = stage_operation()
    row = stage.job(FILM, owner=None, state=State.RUNNING, phase=Phase.POLLING, operation=operation, account_id=9)
    stage.tables.generations[row.generation.id] = row.generation
    await stage.recover.take_over()
    await stage.until_done()
    ended = stage.stored(row.generation.id)
    assert ended.state is State.FAILED
    assert "account" in (ended.fault.message if ended.fault else "")


def stage_operation() -> Any:
    from flow2api.domain.generation import Operation

    return Operation("operation-1")


async def test_zombies_late_write_is_refused_and_its_client_is_told() -> None:
    world = World()
    first = Stage(world)
    await first.account()
    world.upstream.video_s = 200.0
    events = first.events(FILM)
    accepted = await anext(events)
    await first.clock.sleep(60)  # nobody renews: the process hangs, as far as others can tell
    second = Stage(world)
    await second.load()
    assert await second.recover.take_over() == 1
    last = [event async for event in events][-1]
    await second.until_done()

    assert isinstance(getattr(last, "error", None), TakenOverError)
    row = world.tables.generations[accepted.generation.id]
    assert (row.state, row.owner, row.fence) == (State.COMPLETED, None, 1)
    assert len([media for media in world.tables.media.values() if media.generation_id == row.id]) == 1
    assert submits(world, Step.MAKE) == 1


async def test_living_owner_keeps_its_work() -> None:
    world = World()
    first = Stage(world)
    await first.account()
    world.upstream.video_s = 300.0
    keeping = asyncio.create_task(first.recover.run())
    accepted = await anext(first.events(FILM))
    for _ in range(20):
        await first.clock.sleep(10)
        assert await Stage(world).recover.take_over() == 0
    await first.until_done()
    keeping.cancel()
    assert world.tables.generations[accepted.generation.id].rescues == 0


async def test_database_that_fails_for_a_moment_does_not_end_the_keeping(stage: Stage) -> None:
    keeping = asyncio.create_task(stage.recover.run())
    stage.tables.fault = StorageBusyError("locked")
    await stage.clock.sleep(60)
    assert not keeping.done()
    stage.tables.fault = None
    await stage.accounts(1)
    row = stage.job(PAINT, owner=None).generation
    stage.tables.generations[row.id] = row
    await stage.clock.sleep(30)
    assert stage.stored(row.id).state is State.COMPLETED
    keeping.cancel()


async def test_more_than_one_batch_is_taken_over(stage: Stage) -> None:
    await stage.accounts(1)
    for _ in range(450):
        row = stage.job(PAINT, owner=None).generation
        stage.tables.generations[row.id] = row
    assert await stage.recover.take_over() == 450
    await stage.until_done()
    assert {row.state for row in stage.tables.generations.values()} == {State.COMPLETED}


@pytest.mark.parametrize(
    ("changes", "code"), [({"rescues": 3}, "poison"), ({"spec_name": "withdrawn"}, "model_not_found")]
)
async def test_hopeless_work_is_given_up(stage: Stage, changes: dict[str, Any], code: str) -> None:
    row = replace(stage.job(FILM, owner="a process that died").generation, **changes)
    stage.tables.generations[row.id] = row
    await stage.recover.take_over()
    assert stage.stored(row.id).fault.code == code  # type: ignore[union-attr]
    assert len(stage.work) == 0


async def test_one_that_cannot_be_given_up_does_not_hold_the_others_back(stage: Stage) -> None:
    await stage.accounts(1)
    hopeless = replace(stage.job(FILM, owner=None).generation, rescues=9)
    good = stage.job(PAINT, owner=None).generation
    stage.tables.generations.update({hopeless.id: hopeless, good.id: good})
    original = stage.storage.generations.save

    async def refusing(generation: Any, media: Any = ()) -> bool:
        if generation.id == hopeless.id:
            raise StorageBusyError("locked")
        return await original(generation, media)

    swap(stage.storage.generations, save=refusing)
    await stage.recover.take_over()
    await stage.until_done()
    assert stage.stored(good.id).state is State.COMPLETED


async def test_keys_tag_still_decides_who_may_serve(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.account(tags=frozenset({"eu"}))
    tags = {7: "eu"}
    recover = RecoverGenerations(
        stage.work,
        stage.recover._catalog,
        stage.storage.generations,
        stage.audience,
        stage.clock,
        tag_of=lambda key_id: tags.get(key_id or 0),
    )
    row = stage.job(PAINT, owner=None, key_id=7).generation
    stage.tables.generations[row.id] = row
    await recover.take_over()
    await stage.until_done()
    assert stage.stored(row.id).account_id == 2


async def test_audience_of_the_new_owner_hears_the_end(stage: Stage) -> None:
    await stage.accounts(1)
    row = GenerationFactory.build(
        spec_name=FILM.name, model=FILM.name, prompt="a hill", group_id="req_1", owner=None, workspace=None
    )
    stage.tables.generations[row.id] = row
    queue: asyncio.Queue[Any] = asyncio.Queue()
    stage.audience.join(row.id, queue)
    await stage.recover.take_over()
    await stage.until_done()
    heard = [queue.get_nowait() for _ in range(queue.qsize())]
    assert isinstance(heard[-1], Finished)
    assert SPECS
