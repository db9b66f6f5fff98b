"""The one way in: the order of events, repeats, and clients that go away."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Capacity, RestReason, Tier
from flow2api.domain.api_key import Caller
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import (
    Accepted,
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Input,
    InputRole,
    MediaReady,
    Progressed,
    State,
)
from flow2api.domain.selection import Need
from flow2api.domain.usecases.recall_requests import Idempotency
from flow2api.testing.factories import picture_spec
from tests.unit.domain.usecases.stage import (
    CALLER,
    FILM,
    LARGE_FILM,
    LARGE_PAINT,
    PAID_PAINT,
    PAINT,
    Stage,
    World,
    swap,
)

IN_PLACE = Caller(7, first_id=1)


def once(key: str | None = "abc", body: bytes = b"a", *, is_retry: bool = False) -> Idempotency:
    return Idempotency(key, hashlib.sha256(body).digest(), is_retry)


async def all_of(events: AsyncGenerator[GenerationEvent, None]) -> list[GenerationEvent]:
    async with aclosing(events):
        return [event async for event in events]


class TestOrder:
    async def test_picture_is_accepted_progresses_is_ready_and_finished(self, stage: Stage) -> None:
        await stage.accounts(1)
        events = await stage.all_events(PAINT)
        kinds = [type(event) for event in events]
        assert kinds[0] is Accepted
        assert set(kinds[1:-2]) == {Progressed}
        assert kinds[-2:] == [MediaReady, Finished]

    async def test_every_part_is_accepted_before_anything_else_is_told(self, stage: Stage) -> None:
        await stage.accounts(2, capacity=Capacity(image=1))
        events = await stage.all_events(PAINT, count=5)
        kinds = [type(event) for event in events]
        assert kinds[:5] == [Accepted] * 5
        assert Accepted not in kinds[5:]
        assert kinds.count(Finished) == 5
        assert len({event.generation.id for event in events}) == 5
        assert len({event.generation.group_id for event in events}) == 1

    async def test_parts_share_calls_as_the_option_says_and_have_seeds_of_their_own(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.configure(pictures_per_call=4)
        events = await stage.all_events(PAINT, count=10, seed=7)
        orders = [call.order for call in stage.upstream.calls if call.name == "produce" and call.order]
        assert sorted((order.count, order.seed) for order in orders) == [(2, 9), (4, 7), (4, 8)]
        assert sum(len(event.media) for event in events if isinstance(event, Finished)) == 10

    async def test_one_part_that_fails_does_not_take_the_others_along(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.fail("produce", tree.ContentBlockedError(), nth=2)
        events = await stage.all_events(PAINT, count=3)
        assert [type(event) for event in events].count(Finished) == 2
        (failed,) = [event for event in events if isinstance(event, Failed)]
        assert isinstance(failed.error, tree.ContentBlockedError)

    async def test_part_that_finds_no_slot_fails_beside_those_that_do(self, stage: Stage) -> None:
        await stage.accounts(2, capacity=Capacity(image=1))
        stage.configure(waiting_limit=0)
        events = await stage.all_events(PAINT, count=3)
        assert [type(event) for event in events[:3]] == [Accepted, Accepted, Failed]
        assert [type(event) for event in events].count(Finished) == 2

    async def test_nobody_is_accepted_when_no_part_is(self, stage: Stage) -> None:
        with pytest.raises(tree.NoEligibleAccountError):
            await stage.all_events(PAINT, count=3)
        await stage.until_done()
        assert not stage.audience._queues

    async def test_part_that_ends_before_the_last_is_accepted_is_told_after_that(self, stage: Stage) -> None:
        await stage.accounts(1)
        gate = stage.upstream.hold("exchange")
        await stage.cold_account(stage.upstream.add_player(tier=Tier.ULTRA), tags=frozenset({"eu"}))
        swap(stage.lease, _need=_second_needs_tag(stage))
        events = asyncio.create_task(stage.all_events(PAINT, count=2))
        await stage.clock.sleep(60)
        assert not events.done()
        gate.set()
        assert [type(event) for event in await events][:2] == [Accepted, Accepted]


def _second_needs_tag(stage: Stage) -> object:
    original = stage.lease._need
    seen = list[str]()

    async def need(job: object) -> object:
        wanted = await original(job)  # type: ignore[arg-type]
        seen.append("eu")
        return replace(wanted, tag="eu") if len(seen) == 2 else wanted

    return need


class TestWhoIsAsked:
    async def test_tag_of_the_key_decides_who_may_serve(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.account(tags=frozenset({"eu"}))
        finished = await stage.made(PAINT, caller=Caller(7, tag="eu"))
        assert (finished.generation.account_id, finished.generation.key_id) == (2, 7)

    async def test_modest_form_serves_where_nobody_has_the_plan(self, stage: Stage) -> None:
        await stage.accounts(1)
        rich = replace(LARGE_PAINT, min_tier=Tier.ULTRA)
        modest = GenerationRequest(model="p", spec=PAINT, prompt="a", warnings=("It comes in its plain size.",))
        request = GenerationRequest(model="p", spec=rich, prompt="a", modest=modest)

        plain = (await all_of(await stage.generate(request, CALLER)))[-1]
        assert isinstance(plain, Finished)
        row = stage.stored(plain.generation.id)
        assert (row.spec_name, row.warnings, row.state) == (PAINT.name, modest.warnings, State.COMPLETED)
        assert (plain.media[0].width, plain.media[0].height) == (PAINT.size.width, PAINT.size.height)

        await stage.account(tier=Tier.ULTRA)
        full = (await all_of(await stage.generate(request, CALLER)))[-1]
        assert isinstance(full, Finished)
        assert (full.generation.spec_name, full.generation.warnings) == (LARGE_PAINT.name, ())
        assert full.generation.account_id == 2
        assert full.media[0].width == 2 * LARGE_PAINT.size.width

    async def test_modest_form_is_none_for_accounts_that_only_rest(self, stage: Stage) -> None:
        """Who has the plan will be back: a smaller picture would be a surprise."""
        await stage.accounts(1)
        await stage.account(tier=Tier.ULTRA)
        await stage.tend.change(2, lambda one: one.rate_limited(stage.clock.now(), retry_after_s=60))
        modest = GenerationRequest(model="p", spec=PAINT, prompt="a")
        rich = replace(LARGE_PAINT, min_tier=Tier.ULTRA)
        request = GenerationRequest(model="p", spec=rich, prompt="a", modest=modest)
        with pytest.raises(tree.PoolBusyError):
            await all_of(await stage.generate(request, CALLER))

    async def test_stopping_server_takes_no_new_work(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.work.drain(1)
        with pytest.raises(tree.ShuttingDownError):
            await stage.all_events(PAINT)


class TestClientsThatGoAway:
    @pytest.mark.parametrize("events_heard", [1, 2, 3])
    @pytest.mark.parametrize("spec", [PAINT, FILM], ids=lambda spec: spec.name)
    async def test_work_goes_on_to_its_end(self, stage: Stage, spec: object, events_heard: int) -> None:
        await stage.accounts(1)
        events = stage.events(spec)  # type: ignore[arg-type]
        first = await anext(events)
        for _ in range(events_heard - 1):
            await anext(events)
        await events.aclose()
        await stage.until_done()
        row = stage.stored(first.generation.id)
        assert (row.state, len(row.results)) == (State.COMPLETED, 1)

    async def test_client_that_goes_before_it_was_accepted_stops_nothing(self, stage: Stage) -> None:
        await stage.cold_account()
        gate = stage.upstream.hold("exchange")
        waiting = asyncio.create_task(stage.all_events(PAINT))
        await stage.clock.sleep(1)
        waiting.cancel()
        gate.set()
        await stage.until_done()
        assert [row.state for row in stage.tables.generations.values()] == [State.COMPLETED]

    async def test_nothing_is_left_behind(self, stage: Stage) -> None:
        await stage.accounts(1)
        for _ in range(5):
            events = stage.events(FILM, idempotency=once(None))
            await anext(events)
            await events.aclose()
        await stage.until_done()
        await stage.clock.sleep(60)
        assert not stage.audience._queues
        assert len(asyncio.all_tasks()) == 1


class TestRepeats:
    async def test_same_key_and_body_replays_the_answer(self, stage: Stage) -> None:
        await stage.accounts(1)
        first = await stage.made(PAINT, idempotency=once())
        events = await stage.all_events(PAINT, idempotency=once())
        assert isinstance(events[0], Accepted)
        assert events[0].replayed
        assert isinstance(events[-1], Finished)
        assert events[-1].media == first.media
        assert stage.upstream.count("produce") == 1

    async def test_same_key_with_another_body_conflicts(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.made(PAINT, idempotency=once())
        with pytest.raises(tree.IdempotencyConflictError) as caught:
            await stage.all_events(PAINT, idempotency=once(body=b"b"))
        assert caught.value.param == "Idempotency-Key"

    async def test_keys_of_other_callers_and_old_ones_do_not_collide(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.made(PAINT, idempotency=once())
        await stage.made(PAINT, idempotency=once(body=b"b"), caller=Caller(2))
        await stage.clock.sleep(25 * 3600)
        await stage.made(PAINT, idempotency=once(body=b"b"))
        assert stage.upstream.count("produce") == 3

    @pytest.mark.parametrize(("former", "new"), [(CALLER, IN_PLACE), (IN_PLACE, CALLER)])
    async def test_key_in_anothers_place_repeats_what_that_one_asked(
        self, stage: Stage, former: Caller, new: Caller
    ) -> None:
        await stage.accounts(1)
        first = await stage.made(PAINT, idempotency=once(), caller=former)
        again = await stage.made(PAINT, idempotency=once(), caller=new)
        assert again.generation.id == first.generation.id
        with pytest.raises(tree.IdempotencyConflictError):
            await stage.all_events(PAINT, idempotency=once(body=b"b"), caller=new)

    async def test_running_one_is_joined(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 100.0
        first = stage.events(FILM, idempotency=once())
        accepted = await anext(first)
        joined = asyncio.create_task(stage.all_events(FILM, idempotency=once()))
        both = await asyncio.gather(all_of(first), joined)
        assert [events[-1].generation.id for events in both] == [accepted.generation.id] * 2
        assert any(isinstance(event, Progressed) for event in both[1])
        assert stage.upstream.count("submit") == 1

    async def test_failure_is_replayed_as_one(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.end(PAINT, prompt="unsafe", idempotency=once())
        failed = await stage.end(PAINT, prompt="unsafe", idempotency=once())
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, tree.GenerationFailedError)
        assert failed.error.code == "moderation_blocked"

    async def test_refusal_by_the_pool_does_not_use_the_key_up(self, stage: Stage) -> None:
        for _ in range(2):
            with pytest.raises(tree.NoEligibleAccountError):
                await stage.all_events(PAINT, count=2, idempotency=once())
        await stage.accounts(1)
        events = await stage.all_events(PAINT, count=2, idempotency=once())
        assert not any(event.replayed for event in events if isinstance(event, Accepted))
        again = await stage.all_events(PAINT, count=2, idempotency=once())
        assert {event.generation.id for event in again} == {event.generation.id for event in events}
        assert stage.upstream.count("produce") == 2

    async def test_refusal_after_a_wait_does_not_use_the_key_up(self, stage: Stage) -> None:
        await stage.accounts(1, capacity=Capacity(image=1))
        gate = stage.upstream.hold("produce")
        await anext(stage.events(PAINT))
        failed = await stage.end(PAINT, idempotency=once())
        assert isinstance(failed, Failed)
        gate.set()
        made = await stage.made(PAINT, idempotency=once())
        assert made.generation.id != failed.generation.id

    async def test_key_stays_used_when_one_part_was_accepted(self, stage: Stage) -> None:
        await stage.accounts(1, capacity=Capacity(image=1))
        stage.configure(waiting_limit=0)
        first = await stage.all_events(PAINT, count=2, idempotency=once())
        again = await stage.all_events(PAINT, count=2, idempotency=once())
        for events in (first, again):
            ends = [type(event) for event in events if isinstance(event, Finished | Failed)]
            assert sorted(ends, key=str) == [Failed, Finished]
        assert {event.generation.id for event in again} == {event.generation.id for event in first}
        assert stage.upstream.count("produce") == 1

    async def test_key_stays_used_when_something_was_submitted_before_the_pool_was_empty(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.fail("produce", tree.UpstreamRateLimitedError("too fast", retry_after_s=600), times=None)
        failed = await stage.end(PAINT, idempotency=once())
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, tree.PoolError)
        again = await stage.end(PAINT, idempotency=once())
        assert again.generation.id == failed.generation.id
        assert stage.upstream.count("produce") == 1

    async def test_key_is_free_again_when_a_lock_kept_the_submit_from_being_made(self, stage: Stage) -> None:
        await stage.accounts(1)
        original = stage.storage.generations.save

        async def locked(*args: object) -> bool:
            raise tree.StorageBusyError("locked")

        swap(stage.storage.generations, save=locked)
        failed = await stage.end(PAINT, idempotency=once())
        assert isinstance(failed, Failed)
        swap(stage.storage.generations, save=original)
        again = await stage.made(PAINT, idempotency=once())  # the end of the first is not even written yet
        await stage.until_done()
        assert again.generation.id != failed.generation.id
        assert stage.stored(failed.generation.id).was_refused
        assert stage.upstream.count("produce") == 1

    async def test_key_is_free_again_when_an_upload_kept_the_submit_from_being_made(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.fail("upload", tree.UpstreamTimeoutError("late"), times=None)
        picture = await stage.media()
        inputs = (Input(picture.id, InputRole.REFERENCE),)
        failed = await stage.end(PAINT, inputs=inputs, idempotency=once())
        assert isinstance(failed, Failed)
        stage.upstream.faults.clear()
        await stage.clock.sleep(3600)
        again = await stage.made(PAINT, inputs=inputs, idempotency=once())
        assert again.generation.id != failed.generation.id

    async def test_retries_after_a_refusal_that_come_at_once_make_one(self, stage: Stage) -> None:
        with pytest.raises(tree.NoEligibleAccountError):
            await stage.all_events(FILM, idempotency=once())
        await stage.accounts(2)
        stage.upstream.video_s = 30.0
        ends = await asyncio.gather(*(stage.made(FILM, idempotency=once()) for _ in range(20)))
        assert len({end.generation.id for end in ends}) == 1
        assert stage.upstream.count("submit") == 1

    async def test_fifty_at_once_make_one(self, stage: Stage) -> None:
        await stage.accounts(3)
        all_events = await asyncio.gather(*(stage.all_events(PAINT, idempotency=once()) for _ in range(50)))
        ends = [events[-1] for events in all_events]
        assert all(isinstance(end, Finished) for end in ends)
        assert len({end.generation.id for end in ends}) == 1
        assert stage.upstream.count("produce") == 1

    async def test_fifty_at_once_over_several_processes_make_one(self) -> None:
        world = World()
        stages = [Stage(world) for _ in range(5)]
        await stages[0].accounts(1)
        for other in stages[1:]:
            await other.load()
        world.upstream.video_s = 30.0
        all_events = await asyncio.gather(
            *(stages[number % 5].all_events(FILM, idempotency=once()) for number in range(50))
        )
        assert all(isinstance(events[-1], Finished) for events in all_events)
        assert world.upstream.count("submit") == 1

    async def test_repeat_after_a_restart_waits_for_who_took_it_over(self) -> None:
        world = World()
        first = Stage(world)
        await first.accounts(1)
        world.upstream.video_s = 200.0
        accepted = await anext(first.events(FILM, idempotency=once()))
        second = Stage(world)
        await second.load()
        end = await second.end(FILM, idempotency=once())
        assert isinstance(end, Finished)
        assert end.generation.id == accepted.generation.id

    async def test_repeat_hears_that_the_database_does_not_tell(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.made(PAINT, idempotency=once())
        original = stage.storage.generations.get

        async def refusing(generation_id: str) -> Generation | None:
            raise tree.StorageBusyError("locked")

        swap(stage.storage.generations, get=refusing)
        failed = await stage.end(PAINT, idempotency=once())
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, tree.StorageBusyError)
        swap(stage.storage.generations, get=original)

    async def test_claim_whose_generations_are_gone_is_a_conflict(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.made(PAINT, idempotency=once())
        stage.tables.generations.clear()
        with pytest.raises(tree.ConflictError):
            await stage.all_events(PAINT, idempotency=once())

    async def test_generation_that_vanishes_while_it_is_followed_was_not_begun(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.made(PAINT, idempotency=once())
        original = stage.storage.generations.of_group

        async def forgetting(group_id: str) -> object:
            found = await original(group_id)
            stage.tables.generations.clear()
            return found

        swap(stage.storage.generations, of_group=forgetting)
        failed = await stage.end(PAINT, idempotency=once())
        assert isinstance(failed, Failed)
        assert failed.error.code == "not_begun"  # type: ignore[attr-defined]


class TestRetriesWithoutAKey:
    async def test_join_the_running_twin(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 60.0
        first = stage.events(FILM, idempotency=once(None))
        accepted = await anext(first)
        retried = await stage.all_events(FILM, idempotency=once(None, is_retry=True))
        assert isinstance(retried[0], Accepted)
        assert retried[0].replayed
        assert retried[-1].generation.id == accepted.generation.id
        await first.aclose()
        assert stage.upstream.count("submit") == 1

    async def test_join_a_twin_that_is_not_accepted_yet_and_hear_its_refusal(self, stage: Stage) -> None:
        await stage.cold_account()
        gate = stage.upstream.hold("exchange")
        stage.upstream.players[0].is_revoked = True
        first = asyncio.create_task(stage.all_events(PAINT, idempotency=once(None)))
        await stage.clock.sleep(1)
        retried = asyncio.create_task(stage.all_events(PAINT, idempotency=once(None, is_retry=True)))
        await stage.clock.sleep(1)
        gate.set()
        results = await asyncio.gather(first, retried, return_exceptions=True)
        assert [type(result) for result in results] == [tree.NoEligibleAccountError] * 2
        assert stage.upstream.count("exchange") == 1

    async def test_hear_the_end_of_a_twin_that_has_ended_this_very_moment(self, stage: Stage) -> None:
        await stage.accounts(1)
        first = await stage.made(PAINT, idempotency=once(None))
        again = await stage.made(PAINT, idempotency=once(None, is_retry=True))
        assert again.generation.id == first.generation.id

    async def test_find_after_a_restart_what_spends_and_is_not_finished(self) -> None:
        world = World()
        first = Stage(world)
        await first.accounts(1)
        world.upstream.video_s = 200.0
        accepted = await anext(first.events(FILM, idempotency=once(None)))
        second = Stage(world)
        await second.load()
        end = await second.end(FILM, idempotency=once(None, is_retry=True))
        assert isinstance(end, Finished)
        assert end.generation.id == accepted.generation.id
        assert world.upstream.count("submit") == 1

    async def test_key_in_anothers_place_joins_what_that_one_began_and_hears_how_it_ended(self, stage: Stage) -> None:
        await stage.accounts(1)
        accepted = await anext(stage.events(FILM, idempotency=once(None)))
        joined = await stage.made(FILM, idempotency=once(None, is_retry=True), caller=IN_PLACE)
        await stage.until_done()
        await stage.clock.sleep(60)
        after = await stage.made(FILM, idempotency=once(None, is_retry=True), caller=IN_PLACE)
        assert joined.generation.id == after.generation.id == accepted.generation.id
        assert stage.upstream.count("submit") == 1

    async def test_hear_for_some_minutes_how_what_spends_has_ended(self, stage: Stage) -> None:
        await stage.accounts(1)
        first = await stage.made(FILM, idempotency=once(None))
        await stage.until_done()
        await stage.clock.sleep(60)
        again = await stage.made(FILM, idempotency=once(None, is_retry=True))
        assert again.generation.id == first.generation.id
        await stage.clock.sleep(600)
        late = await stage.made(FILM, idempotency=once(None, is_retry=True))
        assert late.generation.id != first.generation.id

    async def test_begin_anew_after_a_failure_that_has_spent_nothing(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.fail("submit", tree.UpstreamRateLimitedError("too fast", retry_after_s=10), times=None)
        failed = await stage.end(FILM, idempotency=once(None))
        assert isinstance(failed, Failed)
        await stage.until_done()
        stage.upstream.faults.clear()
        await stage.clock.sleep(60)
        again = await stage.made(FILM, idempotency=once(None, is_retry=True))
        assert again.generation.id != failed.generation.id

    async def test_hear_of_a_failure_that_may_have_spent_something(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.fail("submit", tree.UpstreamTimeoutError("late"))
        failed = await stage.end(FILM, idempotency=once(None))
        await stage.until_done()
        again = await stage.end(FILM, idempotency=once(None, is_retry=True))
        assert isinstance(again, Failed)
        assert again.generation.id == failed.generation.id
        assert stage.upstream.count("submit") == 1

    async def test_first_tries_cost_no_look_into_the_database(self, stage: Stage) -> None:
        await stage.accounts(1)

        async def unwanted(*args: object, **named: object) -> object:
            raise AssertionError("looked for a repeat")

        swap(stage.storage.generations, repeated=unwanted)
        await stage.made(FILM, idempotency=once(None))
        await stage.made(PAINT, idempotency=once(None, body=b"b", is_retry=True))

    async def test_begin_anew_when_nothing_runs(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.made(PAINT, idempotency=once(None))
        await stage.until_done()
        await stage.made(PAINT, idempotency=once(None, is_retry=True))
        assert stage.upstream.count("produce") == 2

    async def test_equal_requests_that_are_no_retries_are_two(self, stage: Stage) -> None:
        await stage.accounts(1)
        await asyncio.gather(*(stage.made(PAINT, idempotency=once(None)) for _ in range(2)))
        assert stage.upstream.count("produce") == 2

    async def test_memory_of_what_runs_stays_small(self, stage: Stage) -> None:
        await stage.accounts(1)
        for number in range(700):
            await stage.made(PAINT, idempotency=once(None, body=b"%d" % number))
        assert len(stage.generate._recall._running) <= 256


async def test_claim_that_another_process_was_faster_with_is_joined(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 30.0
    accepted = await anext(stage.events(FILM, idempotency=once()))
    original = stage.storage.generations.claimed

    async def slow(key_id: int | None, idempotency_key: str) -> object:
        swap(stage.storage.generations, claimed=original)
        return None

    swap(stage.storage.generations, claimed=slow)
    end = await stage.end(FILM, idempotency=once())
    assert isinstance(end, Finished)
    assert end.generation.id == accepted.generation.id
    assert stage.upstream.count("submit") == 1


async def test_who_joins_right_after_the_job_was_left_hears_the_end() -> None:
    world = World()
    first = Stage(world)
    await first.account()
    world.upstream.video_s = 200.0
    accepted = await anext(first.events(LARGE_FILM, idempotency=once()))
    await first.clock.sleep(60)  # its lease runs out
    second = Stage(world)
    await second.load()
    await second.recover.take_over()
    tell, joined = first.audience.tell, list[asyncio.Task[GenerationEvent]]()

    def joining(event: GenerationEvent) -> None:
        tell(event)
        if isinstance(event, Failed) and not joined:
            joined.append(asyncio.create_task(first.end(LARGE_FILM, idempotency=once())))

    swap(first.audience, tell=joining)
    await second.until_done()
    await first.clock.sleep(60)
    (task,) = joined
    assert task.done()
    assert isinstance(task.result(), Finished)
    assert task.result().generation.id == accepted.generation.id


async def test_who_joins_a_job_whose_cancellation_cannot_be_written_is_told(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 1e6
    accepted = await anext(stage.events(FILM, idempotency=once()))
    joined = asyncio.create_task(stage.end(FILM, idempotency=once()))
    await stage.clock.sleep(10)
    await stage.storage.generations.save(replace(stage.stored(accepted.generation.id), fence=1))
    await stage.work.cancel(accepted.generation.id)
    await stage.clock.sleep(1)
    assert joined.done()
    assert isinstance(joined.result(), Failed)


class TestRoutes:
    OTHER = GenerationRequest(model="best", spec=LARGE_PAINT, prompt="a")
    ROUTED = GenerationRequest(model="best", spec=PAINT, prompt="a", others=(OTHER,))

    async def made(self, stage: Stage) -> Generation:
        async with aclosing(await stage.generate(self.ROUTED, CALLER)) as events:
            end = [event async for event in events][-1]
        assert isinstance(end, Finished), end
        return end.generation

    async def test_first_model_serves_while_an_account_is_free_for_it(self, stage: Stage) -> None:
        await stage.accounts(1)
        made = await self.made(stage)
        assert (made.model, made.spec_name, made.warnings) == ("best", PAINT.name, ())

    async def test_next_one_serves_while_no_account_is_free_for_the_first(self, stage: Stage) -> None:
        (account,) = await stage.accounts(1)
        stage.pool.put(account.resting(RestReason.QUOTA, stage.clock.now(), model=PAINT.name))
        made = await self.made(stage)
        assert (made.model, made.spec_name) == ("best", LARGE_PAINT.name)
        assert made.warnings == (f"{PAINT.name} has no account free now; {LARGE_PAINT.name} serves in its place.",)

    async def test_first_one_is_waited_for_when_none_is_free(self, stage: Stage) -> None:
        await stage.accounts(1, capacity=Capacity(image=1))
        gate = stage.upstream.hold("produce")
        await anext(stage.events(PAINT))
        waiting = asyncio.create_task(self.made(stage))
        await stage.clock.sleep(1)
        gate.set()
        assert (await waiting).spec_name == PAINT.name

    async def test_upstream_that_is_left_alone_is_passed_over(self, stage: Stage) -> None:
        await stage.accounts(1)
        elsewhere = replace(PAINT, name="elsewhere", upstream="dead")
        request = replace(self.OTHER, spec=elsewhere, others=(self.OTHER,))
        swap(stage.generate, _left_alone_s=lambda upstream: 30.0 if upstream == "dead" else None)
        async with aclosing(await stage.generate(request, CALLER)) as events:
            end = [event async for event in events][-1]
        assert isinstance(end, Finished)
        assert end.generation.spec_name == LARGE_PAINT.name

    # What may still change once it is under way.

    FIRST = picture_spec("first", min_tier=Tier.ULTRA)

    def request(self, *specs: ModelSpec) -> GenerationRequest:
        first, *others = (GenerationRequest(model="best", spec=spec, prompt="a", size=str(spec.size)) for spec in specs)
        return replace(first, others=tuple(others))

    async def ask(self, stage: Stage, *specs: ModelSpec) -> GenerationEvent:
        async with aclosing(await stage.generate(self.request(*specs), CALLER)) as events:
            return [event async for event in events][-1]

    async def test_who_waits_is_served_by_the_model_for_which_an_account_comes_free_first(self, stage: Stage) -> None:
        await stage.account(tier=Tier.ULTRA, capacity=Capacity(image=1))
        await stage.account(capacity=Capacity(image=1))
        first, second = [await stage.pool.acquire(Need(PAINT, only=one), stage.policy) for one in (1, 2)]
        waiting = asyncio.create_task(self.ask(stage, self.FIRST, PAINT))
        await stage.clock.sleep(1)
        await second.release()
        made = await waiting
        await first.release()
        assert isinstance(made, Finished), made
        assert (made.generation.spec_name, made.generation.account_id) == (PAINT.name, 2)
        assert made.generation.size == str(PAINT.size)
        assert made.generation.warnings == ("first has no account free now; paint serves in its place.",)
        assert made.generation.choice is not None
        assert made.generation.choice.position == 1

    async def test_who_waits_goes_on_when_the_first_model_loses_its_accounts(self, stage: Stage) -> None:
        ultra = await stage.account(tier=Tier.ULTRA, capacity=Capacity(image=1))
        await stage.account(capacity=Capacity(image=1))
        gate = stage.upstream.hold("produce")
        for _ in range(2):
            await anext(stage.events(PAINT))
        waiting = asyncio.create_task(self.ask(stage, self.FIRST, PAINT))
        await stage.clock.sleep(1)
        stage.pool.put(stage.known(ultra.id).resting(RestReason.AUTH_EXPIRED, stage.clock.now()))
        await stage.clock.sleep(10)
        assert not waiting.done()
        gate.set()
        made = await waiting
        assert isinstance(made, Finished), made
        assert made.generation.spec_name == PAINT.name

    async def test_first_model_that_runs_out_when_it_is_tried_hands_on_even_to_the_same_account(
        self, stage: Stage
    ) -> None:
        (account,) = await stage.accounts(1, tier=Tier.ULTRA)
        stage.upstream.fail("produce", tree.ModelAccessError("not this model"), account_id=account.id)
        made = await self.ask(stage, self.FIRST, PAINT)
        assert isinstance(made, Finished), made
        assert (made.generation.spec_name, made.generation.account_id) == (PAINT.name, account.id)

    async def test_cold_account_of_the_second_is_warmed_when_nobody_else_is_left(self, stage: Stage) -> None:
        await stage.cold_account()
        await stage.account(tags=frozenset({"none"}), capacity=Capacity(image=0))
        made = await self.ask(stage, self.FIRST, PAINT)
        assert isinstance(made, Finished), made
        assert made.generation.spec_name == PAINT.name

    async def test_error_with_the_most_hope_goes_out(self, stage: Stage) -> None:
        stage.configure(waiting_limit=0)
        await stage.account(capacity=Capacity(image=1))
        stage.upstream.hold("produce")
        await anext(stage.events(PAINT))
        with pytest.raises(tree.PoolBusyError):
            await self.ask(stage, self.FIRST, PAINT)

    async def test_breaker_that_opens_under_way_sends_a_picture_to_the_other_upstream(self, stage: Stage) -> None:
        await stage.accounts(2)
        elsewhere = replace(self.FIRST, name="elsewhere", upstream="dead", min_tier=Tier.FREE)
        stage.pool.put(replace(stage.known(1), id=9, upstream="dead"))
        swap(stage.run._guard, wait_s=lambda upstream: 30.0 if upstream == "dead" else None)
        made = await self.ask(stage, elsewhere, PAINT)
        assert isinstance(made, Finished), made
        assert made.generation.spec_name == PAINT.name
        assert "elsewhere has no account free now" in made.generation.warnings[0]

    async def test_all_upstreams_left_alone_leave_the_first_in_its_place(self, stage: Stage) -> None:
        await stage.accounts(1)
        job = stage.job(PAINT)
        job.routes = (self.request(PAINT), self.request(LARGE_PAINT))
        swap(stage.run._guard, wait_s=lambda upstream: 30.0)
        swap(stage.lease, _left_alone_s=lambda upstream: 30.0)
        stage.run._lease._detour(job)
        assert job.spec is PAINT
        assert (await stage.lease(job, ())).need.spec is PAINT  # type: ignore[union-attr]

    async def test_route_with_a_model_that_spends_is_marked_so_that_a_repeat_is_known(self, stage: Stage) -> None:
        await stage.accounts(1)
        request = self.request(PAINT, PAID_PAINT)
        async with aclosing(await stage.generate(request, CALLER, idempotency=Idempotency(None, b"d" * 32))) as events:
            accepted = await anext(events)
        assert accepted.generation.body_digest == b"d" * 32

    async def test_waiting_over_several_attempts_lasts_no_longer_than_one_may(self, stage: Stage) -> None:
        stage.configure(image_wait_s=60.0)
        job = stage.job(PAINT)
        await stage.accounts(1, capacity=Capacity(image=1))
        async with await stage.lease(job, ()):
            began = stage.clock.monotonic()
            job.waited_s = 45.0
            with pytest.raises(tree.PoolBusyError):
                await stage.lease(job, ())
            assert stage.clock.monotonic() - began == pytest.approx(15, abs=0.1)
            job.waited_s = 61.0
            with pytest.raises(tree.PoolBusyError):
                await stage.lease(job, ())
            assert stage.clock.monotonic() - began == pytest.approx(15, abs=0.1)
