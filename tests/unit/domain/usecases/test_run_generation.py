"""Fail-over: who is tried next after what, what is never sent twice, and whom it is booked to."""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import CallKind, Capacity, RestReason
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.generation import (
    Accepted,
    Failed,
    Finished,
    GenerationEvent,
    Input,
    InputRole,
    Operation,
    Phase,
    Progressed,
    State,
)
from flow2api.domain.media import MediaKind
from flow2api.testing.fakes.coordination import FakeCoordination
from tests.unit.domain.usecases.stage import FILM, FREE_FILM, PAID_PAINT, PAINT, Stage, swap


def spending_call(spec: ModelSpec) -> str:
    return "produce" if spec.kind is MediaKind.IMAGE else "submit"


def code_of(event: GenerationEvent) -> str:
    assert isinstance(event, Failed), event
    assert isinstance(event.error, Flow2ApiError)
    return event.error.code


FREE, PAID = [PAINT, FREE_FILM], [PAID_PAINT, FILM]

# What the submit met, and whether a free or a paid generation is tried on another account.
MATRIX = [
    (tree.UpstreamUnavailableError("no connection", reached=False), True, True),
    (tree.UpstreamRateLimitedError("too fast"), True, True),
    (tree.UpstreamRateLimitedError("used up", exhausted=True), True, True),
    (tree.ModelAccessError("plan"), True, True),
    (tree.AccountUnusableError("region"), True, True),
    (tree.CredentialRevokedError("session"), True, True),
    (tree.UpstreamOverloadedError("busy"), True, True),
    (tree.UpstreamNotFoundError("no such project"), True, True),
    (tree.UpstreamUnavailableError("502", reached=True), True, False),
    (tree.UpstreamTimeoutError("late"), True, False),
    (tree.UpstreamInvalidError("garbage"), True, False),
    (tree.ContentBlockedError("SEXUAL"), False, False),
    (tree.UpstreamRejectedError("400"), False, False),
    (tree.UpstreamDriftError("shape"), False, False),
    (tree.UpstreamRefusedError("abuse"), False, False),
    (tree.UpstreamError("?"), False, False),
]  # fmt: skip


async def test_who_asked_hears_of_the_lease_before_the_work_goes_on(stage: Stage) -> None:
    await stage.accounts(1)
    async with aclosing(stage.events(PAINT)) as events:
        assert isinstance(await anext(events), Accepted)
        assert (stage.generations_written, stage.upstream.calls) == ([], [])
        assert isinstance([event async for event in events][-1], Finished)


@pytest.mark.parametrize("spec", [*FREE, *PAID], ids=lambda spec: spec.name)
@pytest.mark.parametrize(("error", "free", "paid"), MATRIX, ids=lambda case: getattr(case, "message", ""))
async def test_goes_to_another_account_only_while_nothing_can_be_spent(
    stage: Stage, spec: ModelSpec, error: Flow2ApiError, free: bool, paid: bool
) -> None:
    await stage.accounts(3)
    stage.upstream.fail(spending_call(spec), error, account_id=1, times=None)

    end = await stage.end(spec)

    goes_on = free if spec.is_free else paid
    if goes_on:
        assert isinstance(end, Finished), end
        assert end.generation.account_id in (2, 3)
    else:
        unknown = not spec.is_free and free
        assert code_of(end) == ("upstream_state_unknown" if unknown else error.code)
        assert stage.stored(end.generation.id).state is State.FAILED
        assert stage.upstream.count(spending_call(spec)) == 1


@pytest.mark.parametrize("spec", PAID, ids=lambda spec: spec.name)
async def test_paid_submit_whose_answer_was_lost_is_carried_out_once(stage: Stage, spec: ModelSpec) -> None:
    await stage.accounts(3)
    stage.upstream.fail(spending_call(spec), tree.UpstreamTimeoutError("late"), after_work=True)
    end = await stage.end(spec)
    assert code_of(end) == "upstream_state_unknown"
    await stage.clock.sleep(3600)
    assert stage.upstream.count(spending_call(spec)) == 1


async def test_video_that_was_accepted_and_failed_later_is_not_tried_again(stage: Stage) -> None:
    await stage.accounts(2)
    end = await stage.end(FILM, prompt="latefail")
    assert code_of(end) == "moderation_blocked"
    assert stage.upstream.count("submit") == 1


async def test_gives_up_after_as_many_accounts_as_the_option_says(stage: Stage) -> None:
    await stage.accounts(5)
    stage.configure(max_attempts=3)
    stage.upstream.fail("produce", tree.UpstreamUnavailableError("down", reached=False), times=None)
    end = await stage.end(PAINT)
    assert code_of(end) == "upstream_unavailable"
    assert [call.account_id for call in stage.upstream.calls if call.name == "produce"] == [1, 2, 3]
    assert stage.stored(end.generation.id).attempts == 3


async def test_tells_the_last_error_when_there_is_nobody_left(stage: Stage) -> None:
    await stage.accounts(2)
    stage.upstream.fail("produce", tree.UpstreamUnavailableError("down", reached=False), times=None)
    assert code_of(await stage.end(PAINT)) == "upstream_unavailable"
    assert stage.upstream.count("produce") == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (tree.UpstreamRateLimitedError("too fast", retry_after_s=30), "rate_limit_exceeded"),
        (tree.CredentialRevokedError("session"), "no_account_available"),
        (tree.ModelAccessError("plan"), "no_account_available"),
    ],
)
async def test_counts_by_reason_tell_more_than_the_last_of_many_refusals(
    stage: Stage, error: Flow2ApiError, code: str
) -> None:
    await stage.accounts(2)
    stage.upstream.fail("produce", error, times=None)
    end = await stage.end(PAINT)
    assert code_of(end) == code
    assert isinstance(end, Failed)
    assert isinstance(end.error, tree.PoolError)
    assert sum(count for reason, count in end.error.reasons.items() if reason != "tried") == 2


async def test_without_any_account_nothing_is_begun_and_nothing_is_stored(stage: Stage) -> None:
    with pytest.raises(tree.NoEligibleAccountError):
        await stage.all_events(PAINT)
    assert not stage.tables.generations


async def test_slot_is_free_again_after_every_kind_of_end(stage: Stage) -> None:
    await stage.accounts(1, capacity=Capacity(image=1, video=1))
    stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"))
    await stage.end(PAINT)
    await stage.made(PAINT)
    await stage.made(FILM)
    await stage.end(FILM, prompt="unsafe")
    await stage.until_done()
    assert (stage.pool.load_of(1, MediaKind.IMAGE), stage.pool.load_of(1, MediaKind.VIDEO)) == (0, 0)


class TestBooking:
    async def test_own_faults_rest_the_account_only_while_others_fare_well(self, stage: Stage) -> None:
        await stage.accounts(4)
        stage.configure(error_threshold=2)
        stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"), account_id=1, times=None)
        for _ in range(4):
            await stage.made(PAINT)
        assert stage.known(1).rest_of(RestReason.ERROR_STREAK, call=CallKind.PICTURE) is not None
        assert stage.tables.accounts[1].rests == stage.known(1).rests

    async def test_faults_that_all_show_are_nobodys(self, stage: Stage) -> None:
        await stage.accounts(4)
        stage.configure(error_threshold=1)
        stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"), times=None)
        for _ in range(4):
            await stage.end(PAINT)
            await stage.clock.sleep(31)
        assert [one.rests for one in stage.pool] == [(), (), (), ()]

    async def test_request_that_no_account_can_make_is_to_blame_itself(self, stage: Stage) -> None:
        await stage.accounts(9)
        stage.configure(max_attempts=3, retries_per_min=1000)
        for account_id in range(1, 10):
            await stage.tend.went_well(account_id, PAINT)
        for _ in range(9):
            stage.upstream.fail("produce", tree.UpstreamUnavailableError("500", reached=False), times=3)
            assert code_of(await stage.end(PAINT)) == "upstream_unavailable"
            await stage.made(PAINT)
        assert [(one.streak, one.rests) for one in stage.pool] == [(0, ())] * 9

    @pytest.mark.parametrize("ends", [tree.ContentBlockedError("SEXUAL"), tree.UpstreamRejectedError("400")])
    async def test_request_that_turns_out_to_be_wrong_leaves_who_failed_at_it_before(
        self, stage: Stage, ends: Flow2ApiError
    ) -> None:
        await stage.accounts(3)
        for account_id in (1, 2, 3):
            await stage.tend.went_well(account_id, PAINT)
        stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"), account_id=1)
        stage.upstream.fail("produce", ends, account_id=2)
        assert code_of(await stage.end(PAINT)) == ends.code
        assert [one.streak for one in stage.pool] == [0, 0, 0]

    async def test_several_that_fail_at_what_another_one_makes_have_failed_themselves(self, stage: Stage) -> None:
        await stage.accounts(9)
        for account_id in range(1, 10):
            await stage.tend.went_well(account_id, PAINT)
        for account_id in (1, 2):
            stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"), account_id=account_id)
        assert (await stage.made(PAINT)).generation.account_id == 3
        assert [one.streak for one in stage.pool] == [1, 1, *[0] * 7]

    async def test_single_account_that_fails_is_to_blame(self, stage: Stage) -> None:
        await stage.accounts(3)
        stage.configure(max_attempts=1)
        for account_id in (1, 2, 3):
            await stage.tend.went_well(account_id, PAINT)
        stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"))
        await stage.end(PAINT)
        assert stage.known(1).streak == 1

    async def test_failing_together_is_seen_as_the_weather(self, stage: Stage) -> None:
        """Who fails alone at once after that is not blamed either: most of the others have just failed, too."""
        await stage.accounts(3)
        stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"), times=3)
        await stage.end(PAINT)
        await stage.tend.went_wrong(1, tree.UpstreamInvalidError("garbage"), PAINT)
        assert stage.known(1).streak == 0

    async def test_unsafe_prompts_are_the_callers_matter(self, stage: Stage) -> None:
        await stage.accounts(2)
        await stage.made(PAINT)
        for _ in range(10):
            assert code_of(await stage.end(PAINT, prompt="unsafe")) == "moderation_blocked"
        assert [(one.streak, one.rests) for one in stage.pool] == [(0, ()), (0, ())]

    async def test_paid_submits_that_nobody_answers_count_against_the_account(self, stage: Stage) -> None:
        await stage.accounts(2)
        await stage.made(PAINT)
        stage.upstream.fail("submit", tree.UpstreamTimeoutError("late"), account_id=2, times=None)
        stage.pool.put(stage.known(1).resting(RestReason.MANUAL, stage.clock.now()))
        await stage.end(FILM)
        assert stage.known(2).streak == 1

    async def test_success_ends_a_streak(self, stage: Stage) -> None:
        await stage.accounts(2)
        await stage.tend.change(1, lambda one: one.faulted(stage.clock.now(), threshold=3))
        await stage.made(PAINT)
        assert stage.known(1).streak == stage.tables.accounts[1].streak == 0

    async def test_database_that_refuses_to_note_it_fails_nothing(self, stage: Stage) -> None:
        await stage.accounts(2)
        stage.upstream.fail("produce", tree.UpstreamRateLimitedError("too fast"), account_id=1)
        original = stage.storage.accounts.change

        async def refusing(account_id: int, change: object) -> None:
            raise tree.StorageBusyError("locked")

        swap(stage.storage.accounts, change=refusing)
        assert (await stage.made(PAINT)).generation.account_id == 2
        assert stage.known(1).rests
        swap(stage.storage.accounts, change=original)
        await stage.tend.change(1, lambda one: one)
        assert stage.tables.accounts[1].rests == stage.known(1).rests


class TestAfresh:
    async def test_lapsed_upload_is_sent_again_by_the_same_account(self, stage: Stage) -> None:
        await stage.accounts(2)
        inputs = (Input((await stage.media()).id, InputRole.REFERENCE),)
        await stage.made(PAINT, inputs=inputs)
        stage.upstream.owners.clear()
        assert (await stage.made(PAINT, inputs=inputs)).generation.account_id == 1
        assert stage.upstream.count("upload", 1) == 2

    async def test_input_that_is_never_found_is_tried_elsewhere(self, stage: Stage) -> None:
        await stage.accounts(2)
        inputs = (Input((await stage.media()).id, InputRole.REFERENCE),)
        stage.upstream.fail("produce", tree.UpstreamNotFoundError("foreign"), account_id=1, times=None)
        finished = await stage.made(PAINT, inputs=inputs)
        assert finished.generation.account_id == 2
        assert stage.known(1).workspace is not None

    async def test_workspace_that_is_gone_is_replaced_once(self, stage: Stage) -> None:
        (account,) = await stage.accounts(1)
        stage.upstream.players[0].workspaces.clear()
        finished = await stage.made(FILM)
        assert finished.generation.account_id == 1
        assert stage.known(1).workspace not in (None, account.workspace)
        assert finished.generation.workspace == stage.known(1).workspace
        assert stage.upstream.count("open_workspace") == 1

    async def test_account_whose_new_workspace_does_not_help_either_is_left(self, stage: Stage) -> None:
        await stage.accounts(2)
        stage.upstream.fail("produce", tree.UpstreamNotFoundError("no such project"), account_id=1, times=None)
        stage.pool.remove(2)
        end = await stage.end(PAINT)
        assert code_of(end) == "upstream_entity_not_found"
        assert (stage.upstream.count("open_workspace"), stage.upstream.count("produce")) == (1, 2)

    async def test_hundred_requests_that_miss_one_workspace_replace_it_once(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.players[0].workspaces.clear()
        ends = await asyncio.gather(*(stage.end(PAINT) for _ in range(100)))
        assert all(isinstance(end, Finished) for end in ends)
        assert stage.upstream.count("open_workspace") == 1


class TestTimeLimits:
    async def test_all_attempts_of_a_picture_share_one_limit(self, stage: Stage) -> None:
        await stage.accounts(8)
        stage.configure(image_timeout_s=100)
        original = stage.upstream.produce

        async def slow(*args: object) -> object:
            await stage.clock.sleep(40)
            raise tree.UpstreamTimeoutError("no answer")

        swap(stage.upstream, produce=slow)
        begun = stage.clock.monotonic()
        assert code_of(await stage.end(PAINT)) == "upstream_timeout"
        assert stage.clock.monotonic() - begun == pytest.approx(100, abs=1)
        swap(stage.upstream, produce=original)

    @pytest.mark.parametrize(("spec", "code"), [(PAINT, "upstream_timeout"), (PAID_PAINT, "upstream_state_unknown")])
    async def test_picture_that_never_comes_ends(self, stage: Stage, spec: ModelSpec, code: str) -> None:
        await stage.accounts(2)
        stage.upstream.hold("produce")
        assert code_of(await stage.end(spec)) == code
        assert stage.pool.load_of(1, MediaKind.IMAGE) == 0

    async def test_paid_picture_that_cannot_be_kept_in_time_says_so(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.hold("fetch")
        assert code_of(await stage.end(PAID_PAINT)) == "upstream_timeout"

    async def test_video_whose_end_never_comes_ends(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 1e9
        begun = stage.clock.now()
        end = await stage.end(FILM)
        assert code_of(end) == "upstream_timeout"
        assert stage.clock.now() - begun == timedelta(seconds=stage.options.video_timeout_s)


async def test_fault_of_ours_ends_the_generation_and_blames_nobody(stage: Stage) -> None:
    await stage.accounts(2)

    async def broken(*args: object) -> object:
        raise ZeroDivisionError

    swap(stage.upstream, produce=broken)
    end = await stage.end(PAINT)
    assert isinstance(end, Failed)
    assert stage.stored(end.generation.id).fault.code == "internal_error"  # type: ignore[union-attr]
    assert stage.known(1).rests == ()


async def test_account_that_is_removed_while_the_row_is_written_is_not_used(stage: Stage) -> None:
    await stage.accounts(2)
    original, removed = stage.storage.generations.add, list[int]()

    async def removing(*args: object) -> None:
        await original(*args)  # type: ignore[arg-type]
        if not removed:
            removed.append(1)
            stage.pool.remove(1)

    swap(stage.storage.generations, add=removing)
    assert (await stage.made(FILM)).generation.account_id == 2


async def test_only_account_that_is_removed_meanwhile_is_told(stage: Stage) -> None:
    await stage.accounts(1)
    stage.configure(max_attempts=1)
    original = stage.storage.generations.add

    async def removing(*args: object) -> None:
        await original(*args)  # type: ignore[arg-type]
        stage.pool.remove(1)

    swap(stage.storage.generations, add=removing)
    assert code_of(await stage.end(FILM)) == "no_account_available"


async def test_video_between_two_attempts_is_not_marked_as_being_submitted(stage: Stage) -> None:
    await stage.accounts(2)
    stage.upstream.fail("submit", tree.UpstreamUnavailableError("no connection", reached=False), account_id=1)
    await stage.made(FILM)
    assert stage.phases() == [
        State.QUEUED,
        Phase.SUBMITTING,
        Phase.LEASING,
        Phase.SUBMITTING,
        Phase.POLLING,
        State.COMPLETED,
    ]


async def test_end_that_cannot_be_written_at_all_is_told(stage: Stage) -> None:
    await stage.accounts(1)

    async def refusing(*args: object) -> bool:
        raise tree.ConflictError("?")

    swap(stage.storage.generations, save=refusing)
    end = await stage.end(PAINT)
    assert code_of(end) == "conflict"


async def test_owner_that_was_replaced_leaves_a_failure_unwritten(stage: Stage) -> None:
    await stage.accounts(1)
    gate = stage.upstream.hold("produce")
    events = stage.events(PAINT, prompt="unsafe")
    accepted = await anext(events)
    await stage.clock.sleep(1)
    row = stage.stored(accepted.generation.id)
    stage.tables.generations[row.id] = replace(row, fence=1, owner="another")
    gate.set()
    assert code_of([event async for event in events][-1]) == "taken_over"
    assert stage.stored(row.id).state is State.RUNNING


async def test_resumed_video_that_fails_late_is_booked_as_any_other(stage: Stage) -> None:
    await stage.accounts(2)
    await stage.made(PAINT)
    job = stage.job(
        FILM, state=State.RUNNING, phase=Phase.POLLING, operation=Operation("lost"), account_id=2, owner=None
    )
    stage.tables.generations[job.generation.id] = job.generation
    stage.configure(video_timeout_s=30)
    await stage.recover.take_over()
    await stage.until_done()
    assert stage.stored(job.generation.id).fault.code == "upstream_timeout"  # type: ignore[union-attr]
    assert stage.pool.load_of(2, MediaKind.VIDEO) == 0


@pytest.mark.parametrize("spec", [PAINT, FILM], ids=lambda spec: spec.name)
async def test_who_has_to_wait_for_an_access_token_says_so_and_writes_no_more_for_it(
    stage: Stage, spec: ModelSpec
) -> None:
    (account,) = await stage.accounts(1)

    async def phases() -> list[str]:
        stage.tables.writes = 0
        return [event.note for event in await stage.all_events(spec) if isinstance(event, Progressed)]

    ready, writes = await phases(), stage.tables.writes
    stage.credentials.forget(account.id)  # as when another process has renewed it
    assert await phases() == [Phase.AUTHENTICATING.value, *ready]
    assert Phase.AUTHENTICATING.value not in ready
    assert stage.tables.writes == writes


async def test_token_that_cannot_be_had_leads_to_another_account(stage: Stage) -> None:
    await stage.accounts(2)
    stage.upstream.players[0].is_revoked = True
    await stage.clock.sleep(25 * 3600)  # every token has ended
    finished = await stage.made(PAINT)
    assert (finished.generation.account_id, finished.generation.attempts) == (2, 1)
    assert stage.known(1).rest_of(RestReason.AUTH_EXPIRED) is not None


class TestRetryBudget:
    async def test_error_goes_out_when_the_budget_is_spent(self, stage: Stage) -> None:
        await stage.accounts(4)
        stage.configure(retry_percent=0.0, retries_per_min=2)
        stage.upstream.fail("produce", tree.UpstreamOverloadedError("busy"), times=None)
        assert code_of(await stage.end(PAINT)) == "upstream_overloaded"
        assert stage.upstream.count("produce") == 3
        assert code_of(await stage.end(PAINT)) == "upstream_overloaded"
        assert stage.upstream.count("produce") == 4
        await stage.clock.sleep(61)
        await stage.end(PAINT)
        assert stage.upstream.count("produce") == 7

    async def test_refused_credential_is_no_matter_of_the_budget(self, stage: Stage) -> None:
        await stage.accounts(2)
        stage.configure(retry_percent=0.0, retries_per_min=0)
        stage.upstream.fail("produce", tree.CredentialRevokedError("session"), account_id=1, times=None)
        assert (await stage.made(PAINT)).generation.account_id == 2


class TestPauses:
    async def test_overloaded_service_is_given_a_pause_before_each_further_attempt(self, stage: Stage) -> None:
        await stage.accounts(3)
        stage.upstream.fail("produce", tree.UpstreamOverloadedError("busy"), times=2)
        begun = stage.clock.monotonic()
        await stage.made(PAINT)
        assert 1.0 <= stage.clock.monotonic() - begun <= 6.0

    async def test_slot_is_free_during_the_pause(self, stage: Stage) -> None:
        await stage.accounts(2, capacity=Capacity(image=1, video=1))
        stage.upstream.fail("produce", tree.UpstreamOverloadedError("busy", retry_after_s=8.0))
        end = asyncio.create_task(stage.end(PAINT))
        await stage.clock.sleep(5)
        assert [stage.pool.load_of(n, MediaKind.IMAGE) for n in (1, 2)] == [0, 0]
        assert isinstance(await end, Finished)

    async def test_pause_that_would_outlast_the_request_is_not_made(self, stage: Stage) -> None:
        await stage.accounts(3)
        stage.configure(image_timeout_s=4.0)
        stage.upstream.fail("produce", tree.UpstreamOverloadedError("busy", retry_after_s=60.0), times=None)
        begun = stage.clock.monotonic()
        assert code_of(await stage.end(PAINT)) == "upstream_overloaded"
        assert stage.clock.monotonic() - begun < 4.0


class TestChoice:
    async def test_record_tells_how_the_account_was_chosen(self, stage: Stage) -> None:
        await stage.accounts(2)
        stage.pool.put(stage.known(2).resting(RestReason.MANUAL, stage.clock.now()))
        made = await stage.made(PAINT)
        choice = stage.stored(made.generation.id).choice
        assert choice is not None
        assert (choice.policy, choice.ready, choice.refused, choice.position) == ("FillFirst", 1, {"manual": 1}, 0)

    async def test_choice_costs_no_further_write(self, stage: Stage) -> None:
        await stage.accounts(1)
        await stage.made(PAINT)
        assert len(stage.generations_written) == 2


async def test_log_for_debugging_says_which_account_was_chosen(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await stage.accounts(1)
    await stage.end(PAINT)
    (record,) = [one for one in caplog.records if one.message == "account chosen"]
    assert (record.__dict__["account_id"], record.__dict__["tried"]) == (1, [])


async def test_account_that_is_removed_while_it_fails_with_others_is_forgotten(stage: Stage) -> None:
    await stage.accounts(3)
    stage.upstream.fail("produce", tree.UpstreamInvalidError("garbage"), times=3)
    booked = stage.tend.failed_like_others

    def removing(account_id: int, call: CallKind) -> None:
        stage.pool.remove(2)
        booked(account_id, call)

    swap(stage.tend, failed_like_others=removing)
    assert code_of(await stage.end(PAINT)) == "upstream_invalid"
    assert [(one.id, one.streak) for one in stage.pool] == [(1, 0), (3, 0)]


async def test_slot_that_cannot_be_counted_ends_it_before_anything_is_asked() -> None:
    shared = FakeCoordination()
    stage = Stage(slots=shared)
    await stage.accounts(2, capacity=Capacity(image=1))
    before = [stage.known(1), stage.known(2)]
    shared.meeting.lose(tree.CoordinationError("gone"))

    for _ in range(3):
        with pytest.raises(tree.CoordinationError):
            await stage.all_events(PAINT)

    assert (stage.upstream.calls, [stage.known(1), stage.known(2)]) == ([], before)
    shared.meeting.fault = None
    await asyncio.gather(stage.made(PAINT), stage.made(PAINT))
    await stage.until_done()
    assert shared.meeting.tickets == {}


async def test_attempt_that_came_to_nothing_is_kept_with_its_account_and_what_it_met(stage: Stage) -> None:
    await stage.accounts(2)
    stage.upstream.fail("produce", tree.UpstreamUnavailableError("It was down.", reached=False))

    finished = await stage.made(PAINT)

    (failed,) = finished.generation.failed_attempts
    assert (failed.code, failed.message, failed.phase) == ("upstream_unavailable", "It was down.", Phase.SUBMITTING)
    assert failed.account_id != finished.generation.account_id
    assert [one.phase for one in finished.generation.passages][-1] is Phase.STORING
