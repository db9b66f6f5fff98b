"""Jobs apart from who asked for them: cancelled when somebody says so, drained when the server stops."""

import asyncio
from contextvars import Context, ContextVar
from dataclasses import replace

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Capacity, Tier
from flow2api.domain.catalog import CostUnit
from flow2api.domain.generation import Failed, Finished, Generation, GenerationEvent, Phase, State
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.work import Work
from flow2api.testing.fakes.players import FakeCall
from flow2api.testing.samples import whole_generation
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage, World, swap


async def begun(stage: Stage, spec: object, call: str) -> tuple[object, str]:
    """A generation that has got as far as this call, which never answers."""
    stage.upstream.hold(call)
    events = stage.events(spec)  # type: ignore[arg-type]
    accepted = await anext(events)
    while not stage.upstream.count(call):
        await stage.clock.sleep(1)
    return events, accepted.generation.id


class TestCancelling:
    @pytest.mark.parametrize(("spec", "call"), [(PAINT, "produce"), (PAINT, "fetch"), (FILM, "poll")])
    async def test_is_recorded_and_told_and_frees_the_slot(self, stage: Stage, spec: object, call: str) -> None:
        await stage.accounts(1)
        events, generation_id = await begun(stage, spec, call)
        assert generation_id in stage.work
        assert await stage.work.cancel(generation_id)
        row = stage.stored(generation_id)
        assert (row.state, row.fault.code if row.fault else "") == (State.CANCELLED, "cancelled")
        last = [event async for event in events][-1]  # type: ignore[attr-defined]
        assert isinstance(last, Failed)
        assert isinstance(last.error, tree.GenerationFailedError)
        assert (stage.pool.load_of(1, MediaKind.IMAGE), stage.pool.load_of(1, MediaKind.VIDEO)) == (0, 0)
        assert stage.known(1).rests == ()
        assert len(stage.work) == 0

    async def test_of_one_that_waits_for_its_slot(self, stage: Stage) -> None:
        await stage.accounts(1, capacity=Capacity(video=1))
        stage.upstream.video_s = 1e6
        await anext(stage.events(FILM))
        accepted = await anext(stage.events(FILM))
        assert stage.stored(accepted.generation.id).state is State.QUEUED
        assert await stage.work.cancel(accepted.generation.id)
        assert stage.stored(accepted.generation.id).state is State.CANCELLED

    async def test_of_a_job_that_has_not_taken_its_first_step(self, stage: Stage) -> None:
        await stage.accounts(1)
        job = stage.job(FILM)
        queue: asyncio.Queue[GenerationEvent] = asyncio.Queue()
        stage.audience.join(job.generation.id, queue)
        stage.work.start(job)
        assert await stage.work.cancel(job.generation.id)
        assert isinstance(queue.get_nowait(), Failed)
        assert len(stage.work) == 0

    async def test_that_comes_while_the_end_is_written_changes_nothing(self, stage: Stage) -> None:
        await stage.accounts(1)
        events = stage.events(PAINT)
        accepted = await anext(events)
        original = stage.storage.generations.save
        gate = asyncio.Event()

        async def slow(*args: object) -> bool:
            await gate.wait()
            return await original(*args)  # type: ignore[arg-type]

        swap(stage.storage.generations, save=slow)
        await stage.clock.sleep(1)
        cancelling = asyncio.create_task(stage.work.cancel(accepted.generation.id))
        await stage.clock.sleep(1)
        gate.set()
        assert await cancelling
        assert stage.stored(accepted.generation.id).state is State.COMPLETED
        assert isinstance([event async for event in events][-1], Finished)
        assert [entry.state for entry in stage.tables.log] == ["completed"]

    async def test_of_what_nobody_works_on_is_refused(self, stage: Stage) -> None:
        assert not await stage.work.cancel("video_1")
        assert stage.work.job("video_1") is None

    async def test_that_cannot_be_written_is_survived(self, stage: Stage) -> None:
        await stage.accounts(1)
        _, generation_id = await begun(stage, FILM, "poll")

        async def refusing(*args: object) -> bool:
            raise tree.ConflictError("?")

        swap(stage.storage.generations, save=refusing)
        assert await stage.work.cancel(generation_id)
        assert len(stage.work) == 0


class TestDraining:
    async def test_pictures_come_to_their_end(self, stage: Stage) -> None:
        await stage.accounts(1)
        gate = stage.upstream.hold("produce")
        events = stage.events(PAINT)
        await anext(events)
        draining = asyncio.create_task(stage.work.drain(60))
        await stage.clock.sleep(20)
        assert not stage.work.is_open
        gate.set()
        await draining
        assert isinstance([event async for event in events][-1], Finished)

    async def test_picture_that_takes_too_long_is_left(self, stage: Stage) -> None:
        await stage.accounts(1)
        events, generation_id = await begun(stage, PAINT, "produce")
        begun_at = stage.clock.monotonic()
        await stage.work.drain(60)
        assert stage.clock.monotonic() - begun_at == pytest.approx(60)
        last = [event async for event in events][-1]  # type: ignore[attr-defined]
        assert isinstance(last, Failed)
        assert isinstance(last.error, tree.ShuttingDownError)
        assert stage.stored(generation_id).phase is Phase.SUBMITTING

    async def test_videos_are_handed_over_at_once(self) -> None:
        world = World()
        first = Stage(world)
        await first.accounts(1)
        world.upstream.video_s = 100.0
        events = first.events(FILM)
        accepted = await anext(events)
        await first.clock.sleep(20)
        begun_at = first.clock.monotonic()
        await first.work.drain(60)
        await first.storage.generations.release(first.work.owner)
        assert first.clock.monotonic() == begun_at
        last = [event async for event in events][-1]
        assert isinstance(last, Failed)
        assert isinstance(last.error, tree.ShuttingDownError)

        second = Stage(world)
        await second.load()
        assert await second.recover.take_over() == 1
        await second.until_done()
        row = world.tables.generations[accepted.generation.id]
        assert (row.state, row.rescues) == (State.COMPLETED, 0)
        assert world.upstream.count("submit") == 1

    async def test_job_that_has_not_taken_its_first_step_is_handed_over(self, stage: Stage) -> None:
        await stage.accounts(1)
        job = stage.job(FILM)
        queue: asyncio.Queue[GenerationEvent] = asyncio.Queue()
        stage.audience.join(job.generation.id, queue)
        stage.work.start(job)
        await stage.work.drain(60)
        last = queue.get_nowait()
        assert isinstance(last, Failed)
        assert isinstance(last.error, tree.ShuttingDownError)

    async def test_with_nothing_to_do_is_over_at_once(self, stage: Stage) -> None:
        await stage.work.drain(60)
        assert stage.clock.monotonic() == 0


async def test_every_end_is_written_down_once(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.made(PAINT)
    await stage.end(PAINT, prompt="unsafe")
    stage.upstream.video_s = 1e6
    accepted = await anext(stage.events(FILM))
    await stage.clock.sleep(30)
    await stage.work.cancel(accepted.generation.id)
    assert [(entry.state, entry.code, entry.model) for entry in stage.tables.log] == [
        ("completed", None, "paint"),
        ("failed", "moderation_blocked", "paint"),
        ("cancelled", "cancelled", "film"),
    ]
    assert stage.tables.log[2].duration_ms == pytest.approx(30_000, abs=100)
    assert stage.tables.log[2].generation_id == accepted.generation.id


async def test_what_a_good_end_cost_is_counted_by_the_plan_of_its_account(stage: Stage) -> None:
    work = Work("priced", stage.run, stage.storage.journal, stage.clock, tier_of={7: Tier.ULTRA}.get)
    ended = replace(whole_generation(), state=State.COMPLETED, account_id=7)
    film = replace(FILM, costs={Tier.PRO: 20, Tier.ULTRA: 10})
    cases = [
        (film, ended, 10),
        (film, replace(ended, account_id=8), 20),
        (replace(film, cost_unit=CostUnit.USD_MILLIS), ended, 0),
        (replace(film, costs={}), ended, 0),
        (film, replace(ended, state=State.FAILED), 0),
        (film, replace(ended, account_id=None), 0),
    ]
    assert [work.spent(spec, generation) for spec, generation, _ in cases] == [spent for *_, spent in cases]


class TestTakingOverOnesOwn:
    async def test_keeps_the_job_and_its_audience(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 100.0
        events = stage.events(FILM)
        accepted = await anext(events)
        job = stage.work.job(accepted.generation.id)
        await stage.clock.sleep(60)
        assert await stage.recover.take_over() == 1
        assert stage.work.job(accepted.generation.id) is job
        assert isinstance([event async for event in events][-1], Finished)
        row = stage.stored(accepted.generation.id)
        assert (row.state, row.fence, row.rescues) == (State.COMPLETED, 1, 1)
        assert stage.upstream.count("submit") == 1

    async def test_in_the_middle_of_the_submit_loses_nothing(self, stage: Stage) -> None:
        await stage.accounts(1)
        gate = stage.upstream.hold("submit")
        events = stage.events(FILM)
        await anext(events)
        await stage.clock.sleep(60)
        assert await stage.recover.take_over() == 1
        gate.set()
        assert isinstance([event async for event in events][-1], Finished)
        assert stage.upstream.count("submit") == 1

    async def test_during_a_write_has_it_written_again(self, stage: Stage) -> None:
        job = stage.job(FILM)
        await job.save()
        original = stage.storage.generations.save

        async def late(*args: object) -> bool:
            swap(stage.storage.generations, save=original)
            (taken,) = await stage.storage.generations.take_over(stage.work.owner, 45, 1)
            was_saved = await original(*args)  # type: ignore[arg-type]
            assert job.keep(taken)
            return was_saved

        await stage.clock.sleep(60)
        swap(stage.storage.generations, save=late)
        job.note(progress=7)
        await job.save()
        assert (stage.stored(job.generation.id).progress, job.generation.fence) == (7, 1)

    async def test_after_another_process_had_it_begins_where_that_one_was(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 300.0
        events = stage.events(FILM)
        accepted = await anext(events)
        job = stage.work.job(accepted.generation.id)
        await stage.clock.sleep(60)
        await stage.storage.generations.take_over("another process", 45, 10)
        await stage.clock.sleep(60)
        assert await stage.recover.take_over() == 1
        assert stage.work.job(accepted.generation.id) is not job
        await stage.until_done()
        row = stage.stored(accepted.generation.id)
        assert (row.state, row.fence) == (State.COMPLETED, 2)
        assert stage.upstream.count("submit") == 1
        await events.aclose()


REQUEST = ContextVar("REQUEST", default="none")


class TestWhoseRequest:
    @staticmethod
    def noting(stage: Stage) -> dict[str, set[str]]:
        """Under which request each call upstream was made."""
        seen, enter = dict[str, set[str]](), stage.upstream._enter

        async def noted(call: FakeCall) -> Exception | None:
            seen.setdefault(call.name, set()).add(REQUEST.get())
            return await enter(call)

        swap(stage.upstream, _enter=noted)
        return seen

    async def test_calls_for_one_are_its_own_and_shared_ones_nobodys(self, stage: Stage) -> None:
        await stage.cold_account()
        seen = self.noting(stage)
        stage.upstream.video_s = 20.0
        REQUEST.set("req_1")
        await stage.made(FILM)
        stage.upstream.players[0].kill_access_tokens()
        await stage.made(PAINT)
        assert seen.pop("submit") == seen.pop("produce") == {"req_1"}
        assert seen.pop("fetch") == {"req_1"}
        assert seen == {call: {"none"} for call in ("exchange", "allowance", "open_workspace", "poll")}

    async def test_resumed_work_has_a_context_of_its_own(self, stage: Stage) -> None:
        def context_of(generation: Generation) -> Context:
            context = Context()
            context.run(REQUEST.set, generation.group_id)
            return context

        await stage.accounts(1)
        seen = self.noting(stage)
        stage.work._context_of = context_of
        row = stage.job(PAINT, owner=None, group_id="req_of_long_ago").generation
        stage.tables.generations[row.id] = row
        REQUEST.set("req_1")
        await stage.recover.take_over()
        await stage.until_done()
        assert seen["produce"] == {"req_of_long_ago"}


async def test_jobs_of_one_request_are_found_while_they_go_on(stage: Stage) -> None:
    await stage.accounts(1)
    gate = stage.upstream.hold("produce")
    events = asyncio.create_task(stage.all_events(PAINT, count=2))
    while len(stage.work) < 2:
        await asyncio.sleep(0.1)
    first = next(iter(stage.work._running.values())).job.generation

    assert [job.generation.group_id for job in stage.work.of_group(first.group_id)] == [first.group_id] * 2
    assert stage.work.of_group("req_other") == []
    gate.set()
    await events
    await stage.until_done()
    assert stage.work.of_group(first.group_id) == []
