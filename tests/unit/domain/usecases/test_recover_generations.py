"""A process that dies at any moment loses nothing, and nothing is paid twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain.account import Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import StorageBusyError
from flow2api.domain.generation import Finished, Input, InputRole, Phase, State
from flow2api.domain.generation import Stage as Step
from flow2api.domain.usecases.job import TakenOverError
from flow2api.domain.usecases.recall_requests import Idempotency
from flow2api.domain.usecases.recover_generations import RecoverGenerations
from flow2api.testing.factories import GenerationFactory
from tests.unit.domain.usecases.mortality import Life
from tests.unit.domain.usecases.stage import FILM, LARGE_FILM, LARGER_FILM, PAINT, SPECS, Stage, World, swap

LEASE_S = 46.0


async def begin(world: World, life: Life, spec: ModelSpec, *, with_input: bool) -> Stage:
    """A first process that begins one generation and is killed when its life ends."""
    setting_up = Stage(world)
    await setting_up.account()
    await setting_up.account()
    inputs: tuple[Input, ...] = ()
    if spec.enlarges:
        source = await setting_up.made_before(setting_up.known(2), spec.kind)
        inputs = (Input(source.id, InputRole.SOURCE),)
    elif with_input:
        inputs = (Input((await setting_up.media()).id, InputRole.START),)
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
@pytest.mark.parametrize(
    ("spec", "with_input"), [(FILM, False), (FILM, True), (LARGE_FILM, False), (LARGER_FILM, True)]
)
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
        spent = spec.cost(Tier.PRO) * (submits(world, Step.MAKE) + submits(world, Step.ENLARGE))
        assert sum(player.credits for player in world.upstream.players) >= 2000 - spent
        if row.state is State.COMPLETED:
            results = [media.generation_id for media in world.tables.media.values() if media.role == "result"]
            assert [one for one in results if one is not None] == [row.id]
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


async def test_database_that_fails_for_a_moment_does_not_end_the_keeping(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    keeping = asyncio.create_task(stage.recover.run())
    stage.tables.fault = StorageBusyError("locked")
    await stage.clock.sleep(60)
    assert not keeping.done()
    assert [record.message for record in caplog.records] == ["leases not renewed: locked"]
    stage.tables.fault = None
    await stage.accounts(1)
    row = stage.job(PAINT, owner=None).generation
    stage.tables.generations[row.id] = row
    await stage.clock.sleep(30)
    assert stage.stored(row.id).state is State.COMPLETED
    keeping.cancel()


class TestRowsWithoutAJob:
    @pytest.fixture(autouse=True)
    async def keeping(self, stage: Stage) -> AsyncIterator[None]:
        await stage.accounts(1)
        keeping = asyncio.create_task(stage.recover.run())
        yield
        keeping.cancel()

    async def test_are_gone_on_with(self, stage: Stage) -> None:
        """Such as those of a client that went away in the middle of the write that begins them."""
        begin = stage.storage.generations.add

        async def slow(*args: Any) -> None:
            await begin(*args)
            await stage.clock.sleep(5)

        swap(stage.storage.generations, add=slow)
        asking = asyncio.create_task(stage.made(PAINT, count=2, idempotency=Idempotency("abc", b"a")))
        await stage.clock.sleep(1)
        asking.cancel()
        await stage.clock.sleep(30)
        assert [row.state for row in stage.tables.generations.values()] == [State.COMPLETED] * 2
        assert {row.rescues for row in stage.tables.generations.values()} == {1}
        again = await stage.made(PAINT, count=2, idempotency=Idempotency("abc", b"a"))
        assert again.generation.id in stage.tables.generations
        assert stage.upstream.count("produce") == 2

    async def test_that_never_come_to_an_end_are_given_up(self, stage: Stage) -> None:
        row = stage.job(PAINT, lease_until=stage.clock.now() + timedelta(minutes=1)).generation
        stage.tables.generations[row.id] = row
        swap(stage.run, _where_it_was=_leaving)
        await stage.clock.sleep(200)
        assert stage.stored(row.id).fault.code == "poison"  # type: ignore[union-attr]

    async def test_are_not_those_that_somebody_begins_just_now(self, stage: Stage) -> None:
        looked, original = list[str](), stage.storage.generations.held

        async def held(owner: str) -> Any:
            looked.append(owner)
            return await original(owner)

        swap(stage.storage.generations, held=held)
        job = stage.job(PAINT, lease_until=stage.clock.now() + timedelta(minutes=1))
        stage.tables.generations[job.generation.id] = job.generation
        await stage.clock.sleep(15)
        assert looked == [stage.work.owner]
        job.is_stored = True
        stage.work.start(job)
        await stage.clock.sleep(60)
        assert stage.stored(job.generation.id).rescues == 0
        assert stage.upstream.count("produce") == 1

    async def test_are_left_alone_when_they_have_gone_or_are_another_owners_by_now(self, stage: Stage) -> None:
        rows = [stage.job(PAINT, lease_until=stage.clock.now() + timedelta(minutes=1)).generation for _ in range(3)]
        stage.tables.generations.update({row.id: row for row in rows})
        ids, (gone, ended, taken) = [row.id for row in rows], rows
        get = stage.storage.generations.get

        async def late(generation_id: str) -> Any:
            """What was there when it was looked at is not what is there when it is written."""
            found = await get(generation_id)
            if generation_id == taken.id:
                stage.tables.generations[taken.id] = taken.changed(owner="another process", fence=1)
            return found

        async def held(owner: str) -> Any:
            return ids

        swap(stage.storage.generations, get=late, held=held)
        await stage.clock.sleep(15)
        del stage.tables.generations[gone.id]
        stage.tables.generations[ended.id] = ended.cancelled(stage.clock.now())
        await stage.clock.sleep(15)
        assert stage.stored(taken.id).owner == "another process"
        assert stage.upstream.count("produce") == 0

    async def test_that_a_stopping_server_hands_over_are_left_to_the_next_owner(self, stage: Stage) -> None:
        stage.upstream.video_s = 1e6
        picture = stage.upstream.hold("produce")
        await anext(stage.events(PAINT))
        accepted = await anext(stage.events(FILM))
        await stage.clock.sleep(5)
        draining = asyncio.create_task(stage.work.drain(60))
        another = stage.job(PAINT, owner=None).generation
        stage.tables.generations[another.id] = another
        await stage.clock.sleep(45)
        assert not draining.done()
        assert (accepted.generation.id in stage.work, another.id in stage.work) == (False, False)
        assert stage.stored(accepted.generation.id).lease_until is not None
        picture.set()
        await draining

    async def test_are_not_looked_for_while_every_row_has_its_job(self, stage: Stage) -> None:
        swap(stage.storage.generations, held=None)  # would fail the loop
        stage.upstream.video_s = 100.0
        await stage.made(FILM)
        assert stage.stored(next(iter(stage.tables.generations))).rescues == 0


async def _leaving(job: Any) -> Any:
    raise TakenOverError("as if")


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
