"""Videos: what is written when, and that a plain one is never lost for want of a larger one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import CallKind
from flow2api.domain.catalog import Mode
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.generation import (
    Accepted,
    Failed,
    Fault,
    Finished,
    Generation,
    Input,
    InputRole,
    Operation,
    Order,
    Phase,
    Progressed,
    State,
)
from flow2api.domain.generation import Stage as Step
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.domain.ports.upstream import Access
from flow2api.domain.usecases.job import TakenOverError
from flow2api.testing.factories import video_spec
from tests.unit.domain.usecases.stage import FILM, LARGE_FILM, LARGER_FILM, Stage, swap

EXTENSION = video_spec("extension", mode=Mode.EXTEND)


async def test_writes_its_row_the_mark_before_the_submit_the_handle_and_the_end(stage: Stage) -> None:
    await stage.accounts(1)
    finished = await stage.made(FILM)
    assert stage.phases() == [State.QUEUED, Phase.SUBMITTING, Phase.POLLING, State.COMPLETED]
    handles = [one.operation.name if one.operation else None for one in stage.generations_written]
    assert handles[:2] == [None, None]
    assert handles[2] is not None
    assert handles[3] is None
    assert stage.stored(finished.generation.id).progress == 100


async def test_row_is_there_before_anybody_hears_of_it(stage: Stage) -> None:
    await stage.accounts(1)
    accepted = await anext(stage.events(FILM))
    assert isinstance(accepted, Accepted)
    assert stage.generations_written[0] == accepted.generation


async def test_mark_is_written_before_the_submit_goes_out(stage: Stage) -> None:
    await stage.accounts(1)
    gate = stage.upstream.hold("submit")
    accepted = await anext(stage.events(FILM))
    while not stage.upstream.count("submit"):
        await stage.clock.sleep(0.1)
    assert stage.stored(accepted.generation.id).phase is Phase.SUBMITTING
    gate.set()
    await stage.until_done()


async def test_what_the_account_has_left_is_known_after_the_submit(stage: Stage) -> None:
    await stage.accounts(1)
    await stage.made(FILM)
    assert stage.known(1).credits == stage.tables.accounts[1].credits == 980


async def test_account_that_cannot_pay_is_not_asked(stage: Stage) -> None:
    await stage.account(stage.upstream.add_player(credits=10))
    with pytest.raises(tree.NoEligibleAccountError) as caught:
        await stage.all_events(FILM)
    assert caught.value.reasons == {"quota": 1}
    assert stage.upstream.count("submit") == 0


async def test_hands_frames_over_and_names_what_to_extend(stage: Stage) -> None:
    await stage.accounts(2)
    frames = [await stage.media(salt) for salt in ("a", "b")]
    finished = await stage.made(FILM, inputs=(Input(frames[0].id, InputRole.START), Input(frames[1].id, InputRole.END)))
    await stage.tend.change(finished.generation.account_id or 0, lambda one: one)
    source = finished.media[0]
    longer = await stage.made(EXTENSION, inputs=(Input(source.id, InputRole.SOURCE),))
    orders = [call.order for call in stage.upstream.calls if call.name == "submit" and call.order is not None]
    assert [role for role, _ in orders[0].inputs] == [InputRole.START, InputRole.END]
    assert orders[1].source is not None
    assert orders[1].source.name == source.upstream_name
    assert longer.media[0].parent_id == source.id
    assert longer.generation.account_id == finished.generation.account_id


async def test_extension_waits_for_the_only_account_that_has_the_source(stage: Stage) -> None:
    await stage.accounts(2)
    source = await stage.media("v", kind=MediaKind.VIDEO, role=MediaRole.RESULT, account_id=7, upstream_name="x")
    with pytest.raises(tree.NoEligibleAccountError) as caught:
        await stage.all_events(EXTENSION, inputs=(Input(source.id, InputRole.SOURCE),))
    assert caught.value.reasons == {"removed": 1}


async def test_progress_only_grows_and_keeps_its_hundred_for_the_end(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 120.0
    events = await stage.all_events(FILM)
    told = [event.generation.progress for event in events if isinstance(event, Progressed)]
    assert told == sorted(told)
    assert len({*told}) > 5
    assert max(told) < 100
    assert events[-1].generation.progress == 100


async def test_video_that_was_made_sooner_than_expected_is_nearly_done_while_it_is_fetched(stage: Stage) -> None:
    await stage.accounts(1)
    events = await stage.all_events(FILM)
    fetching = [
        event.generation.progress
        for event in events
        if isinstance(event, Progressed) and event.generation.phase is Phase.STORING
    ]
    assert fetching == [96]


class TestLargeOnes:
    async def test_are_submitted_once_where_the_upstream_makes_them_at_once(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.made(replace(LARGE_FILM, at_once=True))
        assert stage.upstream.count("submit") == 1

    async def test_are_made_then_enlarged_by_the_same_account(self, stage: Stage) -> None:
        await stage.accounts(2)
        finished = await stage.made(LARGE_FILM)
        submits = [call for call in stage.upstream.calls if call.name == "submit" and call.order is not None]
        assert [call.order.stage for call in submits if call.order] == [Step.MAKE, Step.ENLARGE]
        assert len({call.account_id for call in submits}) == 1
        assert stage.phases() == [
            State.QUEUED,
            Phase.SUBMITTING,
            Phase.POLLING,
            Phase.SUBMITTING,
            Phase.POLLING,
            State.COMPLETED,
        ]
        assert finished.generation.warnings == ()
        enlarging = next(job for job in stage.upstream.jobs.values() if job.order.stage is Step.ENLARGE)
        assert finished.media[0].upstream_name == f"video-of-{enlarging.operation.name}"

    @pytest.mark.parametrize(
        "error",
        [
            tree.UpstreamUnavailableError("down", reached=False),
            tree.UpstreamTimeoutError("late"),
            tree.ContentBlockedError(),
            tree.UpstreamRateLimitedError("used up", exhausted=True),
            tree.ModelAccessError("plan"),
            tree.CredentialRevokedError("session"),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_come_plain_with_a_warning_when_the_enlarging_is_refused(
        self, stage: Stage, error: Flow2ApiError
    ) -> None:
        await stage.accounts(2)
        stage.upstream.fail("submit", error, nth=2)
        finished = await stage.made(LARGE_FILM)
        assert "plain size" in finished.generation.warnings[0]
        assert stage.upstream.count("submit") == 2

    async def test_come_plain_when_the_enlarging_fails_late_or_never_ends(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.configure(enlarge_timeout_s=120)
        original = stage.upstream.submit

        async def endless(access: object, order: object) -> object:
            if getattr(order, "stage", None) is Step.ENLARGE:
                stage.upstream.video_s = 1e9
            return await original(access, order)  # type: ignore[arg-type]

        swap(stage.upstream, submit=endless)
        finished = await stage.made(LARGE_FILM)
        assert "plain size" in finished.generation.warnings[0]

    async def test_come_plain_when_the_mark_before_the_second_submit_cannot_be_written(self, stage: Stage) -> None:
        await stage.accounts(1)
        original = stage.storage.generations.save

        async def refusing(generation: Generation, media: Sequence[Media] = ()) -> bool:
            if (generation.stage, generation.phase) == (Step.ENLARGE, Phase.SUBMITTING):
                raise tree.StorageBusyError("locked")
            return await original(generation, media)

        swap(stage.storage.generations, save=refusing)
        finished = await stage.made(LARGE_FILM)
        assert "plain size" in finished.generation.warnings[0]
        assert stage.upstream.count("submit") == 1


class TestBusyDatabase:
    async def test_handle_that_cannot_be_written_at_once_is_written_later(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 60.0
        gate = stage.upstream.hold("submit")
        accepted = await anext(stage.events(FILM))
        while not stage.upstream.count("submit"):
            await stage.clock.sleep(0.1)
        stage.tables.fault = tree.StorageBusyError("locked")
        gate.set()
        await stage.clock.sleep(5)
        assert stage.stored(accepted.generation.id).operation is None
        stage.tables.fault = None
        await stage.clock.sleep(10)
        assert stage.stored(accepted.generation.id).operation is not None
        await stage.until_done()
        assert stage.stored(accepted.generation.id).state is State.COMPLETED

    async def test_paid_video_outlives_a_database_that_is_away_until_its_end(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 30.0
        gate = stage.upstream.hold("submit")
        accepted = await anext(stage.events(FILM))
        while not stage.upstream.count("submit"):
            await stage.clock.sleep(0.1)
        stage.tables.fault = tree.StorageBusyError("locked")
        gate.set()
        await stage.clock.sleep(600)
        stage.tables.fault = None
        await stage.until_done()
        assert stage.stored(accepted.generation.id).state is State.COMPLETED
        assert stage.upstream.count("submit") == 1

    async def test_nothing_is_submitted_while_the_mark_cannot_be_written(self, stage: Stage) -> None:
        await stage.accounts(1)
        original = stage.storage.generations.save

        async def refusing(generation: Generation, media: Sequence[Media] = ()) -> bool:
            if generation.phase is Phase.SUBMITTING:
                raise tree.StorageBusyError("locked")
            return await original(generation, media)

        swap(stage.storage.generations, save=refusing)
        failed = await stage.end(FILM)
        assert stage.upstream.count("submit") == 0
        await stage.until_done()
        assert stage.stored(failed.generation.id).fault == Fault("storage_busy", "locked")

    async def test_row_that_cannot_be_written_is_refused_before_anything_is_begun(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.tables.fault = tree.StorageFullError("full")
        with pytest.raises(tree.StorageFullError):
            await stage.all_events(FILM)
        assert stage.upstream.count("submit") == 0


async def test_submit_under_way_is_finished_and_noted_when_the_server_stops(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 60.0
    gate = stage.upstream.hold("submit")
    accepted = await anext(stage.events(FILM))
    while not stage.upstream.count("submit"):
        await stage.clock.sleep(0.1)
    draining = asyncio.create_task(stage.work.drain(30))
    await stage.clock.sleep(5)
    gate.set()
    await draining
    row = stage.stored(accepted.generation.id)
    assert (row.state, row.phase) == (State.RUNNING, Phase.POLLING)
    assert row.operation is not None
    assert len(stage.work) == 0


async def test_lost_handle_is_not_asked_for(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    job = stage.job(FILM, state=State.RUNNING, phase=Phase.POLLING)
    with pytest.raises(tree.UpstreamStateUnknownError):
        await stage.makers.videos.resume(job, account)


async def test_nobody_who_went_away_ends_a_paid_video(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 60.0
    events = stage.events(FILM)
    accepted = await anext(events)
    await events.aclose()
    await stage.until_done()
    assert stage.stored(accepted.generation.id).state is State.COMPLETED


async def test_end_comes_as_finished_or_failed(stage: Stage) -> None:
    await stage.accounts(1)
    assert isinstance(await stage.end(FILM), Finished)
    assert isinstance(await stage.end(FILM, prompt="unsafe"), Failed)


async def test_source_that_no_account_has_made_cannot_be_extended(stage: Stage) -> None:
    await stage.accounts(1)
    source = await stage.media("v", kind=MediaKind.VIDEO)
    with pytest.raises(tree.NoEligibleAccountError):
        await stage.all_events(EXTENSION, inputs=(Input(source.id, InputRole.SOURCE),))


async def test_upstream_that_does_not_tell_what_is_left_changes_nothing(stage: Stage) -> None:
    await stage.accounts(1)
    original = stage.upstream.submit

    async def silent(access: Access, order: Order) -> tuple[Operation, None]:
        return (await original(access, order))[0], None

    swap(stage.upstream, submit=silent)
    await stage.made(FILM)
    assert stage.known(1).credits == 1000


async def test_owner_that_was_replaced_does_not_enlarge(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 50.0
    events = stage.events(LARGE_FILM)
    accepted = await anext(events)
    await stage.clock.sleep(5)
    row = stage.stored(accepted.generation.id)
    stage.tables.generations[row.id] = replace(row, fence=1, owner="another")
    last = [event async for event in events][-1]
    assert isinstance(last, Failed)
    assert isinstance(last.error, TakenOverError)
    assert stage.upstream.count("submit") == 1


async def test_length_is_what_the_upstream_tells_in_the_end(stage: Stage) -> None:
    await stage.accounts(1)
    planned = await stage.made(FILM)
    stage.upstream.told_seconds = 11
    told = await stage.made(FILM)
    assert planned.generation.seconds != 11
    assert told.generation.seconds == stage.stored(told.generation.id).seconds == 11


class TestEnlargingWhatWasMadeBefore:
    async def test_is_one_paid_submit_by_the_account_that_made_it(self, stage: Stage) -> None:
        _, second = await stage.accounts(2)
        source = await stage.made_before(second, MediaKind.VIDEO)

        finished = await stage.made(LARGER_FILM, inputs=(Input(source.id, InputRole.SOURCE),), seconds=8)

        (order,) = [call.order for call in stage.upstream.calls if call.name == "submit"]
        assert order is not None
        assert (order.stage, order.prompt) == (Step.ENLARGE, "")
        assert order.source is not None
        assert order.source.name == source.upstream_name
        assert stage.phases() == [State.QUEUED, Phase.SUBMITTING, Phase.POLLING, State.COMPLETED]
        assert (finished.generation.account_id, finished.generation.seconds) == (second.id, 8)
        assert finished.media[0].parent_id == source.id
        assert stage.known(second.id).credits == 950

    async def test_may_take_as_long_as_enlarging_takes(self, stage: Stage) -> None:
        (account,) = await stage.accounts(1)
        source = await stage.made_before(account, MediaKind.VIDEO)
        stage.configure(video_timeout_s=100.0, enlarge_timeout_s=400.0)
        stage.upstream.video_s = 300.0
        await stage.made(LARGER_FILM, inputs=(Input(source.id, InputRole.SOURCE),))

    async def test_too_long_is_told_and_never_asked_for_again(self, stage: Stage) -> None:
        (account,) = await stage.accounts(1)
        source = await stage.made_before(account, MediaKind.VIDEO)
        stage.configure(enlarge_timeout_s=100.0)
        stage.upstream.video_s = 300.0

        failed = await stage.end(LARGER_FILM, inputs=(Input(source.id, InputRole.SOURCE),))

        assert isinstance(failed, Failed)
        assert isinstance(failed.error, tree.UpstreamTimeoutError)
        assert stage.upstream.count("submit") == 1

    async def test_failure_upstream_ends_it_without_a_result(self, stage: Stage) -> None:
        (account,) = await stage.accounts(1)
        source = await stage.made_before(account, MediaKind.VIDEO)
        stage.upstream.fail("submit", tree.UpstreamUnavailableError("busy", reached=False))

        failed = await stage.end(LARGER_FILM, inputs=(Input(source.id, InputRole.SOURCE),))

        assert isinstance(failed, Failed)
        assert failed.generation.results == ()
        assert stage.known(1).credits == 1000
        assert not any(one.call is CallKind.making(MediaKind.VIDEO) for one in stage.known(1).streaks)

    async def test_account_that_cannot_pay_is_not_asked(self, stage: Stage) -> None:
        account = await stage.account(stage.upstream.add_player(credits=49))
        source = await stage.made_before(account, MediaKind.VIDEO)
        await stage.accounts(1)
        with pytest.raises(tree.NoEligibleAccountError) as caught:
            await stage.all_events(LARGER_FILM, inputs=(Input(source.id, InputRole.SOURCE),))
        assert caught.value.reasons == {"quota": 1}
        assert stage.upstream.count("submit") == 0
