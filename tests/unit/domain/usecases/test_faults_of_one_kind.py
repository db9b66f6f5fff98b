"""A fault at one kind of call never stops another kind on that account: every error, at every kind of call."""

from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import CallKind, RestReason
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import Failed, Input, InputRole
from flow2api.domain.selection import Need
from flow2api.plugins.policies import LeastRecentlyUsed
from tests.unit.domain.usecases.stage import FILM, LARGE_FILM, LARGE_PAINT, PAINT, Stage

OWN = [
    tree.UpstreamUnavailableError("down", reached=False),
    tree.UpstreamUnavailableError("500", reached=True),
    tree.UpstreamTimeoutError("late"),
    tree.UpstreamInvalidError("garbage"),
]
COUNTED = [call for call in CallKind if call is not CallKind.DOWNLOAD]
LIMITS = [
    tree.UpstreamRateLimitedError("too fast"),
    tree.UpstreamRateLimitedError("used up", exhausted=True),
    tree.ModelAccessError("plan"),
]


def name_of(value: object) -> str:
    return type(value).__name__ if isinstance(value, Exception) else str(value)


async def failing(stage: Stage, error: Exception, call: CallKind, times: int = 3) -> None:
    """Account 1 meets this again and again while the others fare well."""
    await stage.accounts(3)
    spec = FILM if call is CallKind.VIDEO else LARGE_PAINT
    for account_id in (2, 3):
        await stage.tend.went_well(account_id, spec, call=call)
    for _ in range(times):
        await stage.tend.went_wrong(1, error, spec, call=call)


@pytest.mark.parametrize("call", COUNTED)
@pytest.mark.parametrize("error", OWN, ids=name_of)
async def test_streak_rests_the_account_from_such_calls_alone(stage: Stage, error: Exception, call: CallKind) -> None:
    await failing(stage, error, call)
    (rest,) = stage.known(1).rests
    assert (rest.reason, rest.call, rest.step) == (RestReason.ERROR_STREAK, call, 0)
    now = stage.clock.now()
    stopped = [one for one in CallKind if stage.known(1).blocking_rest(now, one) is not None]
    assert stopped == [call]
    for spec in (PAINT, FILM):
        others_serve = {2, 3}
        able = {1} if call is not CallKind.making(spec.kind) else set[int]()
        lease = await stage.pool.acquire(Need(spec), stage.policy, avoid=others_serve if able else ())
        assert lease.account_id in (able or others_serve)
        await lease.release()


@pytest.mark.parametrize("error", [*OWN, *LIMITS, tree.UpstreamRefusedError("unusual activity")], ids=name_of)
async def test_download_that_fails_is_nobodys_fault(stage: Stage, error: Exception) -> None:
    await failing(stage, error, CallKind.DOWNLOAD, times=20)
    assert not stage.known(1).rests
    assert not stage.known(1).streaks


async def test_download_that_finds_the_session_ended_tells_of_the_account(stage: Stage) -> None:
    await failing(stage, tree.CredentialRevokedError("signed out"), CallKind.DOWNLOAD, times=1)
    assert stage.known(1).rest_of(RestReason.AUTH_EXPIRED) is not None


@pytest.mark.parametrize("call", COUNTED)
@pytest.mark.parametrize("other", COUNTED)
async def test_success_at_another_kind_does_not_end_a_streak(stage: Stage, call: CallKind, other: CallKind) -> None:
    await failing(stage, OWN[0], call, times=2)
    await stage.tend.went_well(1, PAINT, call=other)
    assert stage.known(1).streak == (0 if other is call else 2)


@pytest.mark.parametrize("call", [CallKind.ENLARGEMENT, CallKind.UPLOAD])
@pytest.mark.parametrize("error", LIMITS, ids=name_of)
async def test_limit_met_beside_the_making_does_not_stop_the_making(
    stage: Stage, error: Exception, call: CallKind
) -> None:
    await failing(stage, error, call, times=1)
    (rest,) = stage.known(1).rests
    assert rest.call is call
    now = stage.clock.now()
    for made in (CallKind.PICTURE, CallKind.VIDEO):
        assert stage.known(1).blocking_rest(now, made) is None
    for spec in (PAINT, LARGE_PAINT, FILM):
        assert stage.known(1).model_rest(spec.name, now) is None


class TestThroughTheUseCases:
    @pytest.mark.parametrize(
        "error",
        [
            tree.UpstreamRateLimitedError("used up", exhausted=True, retry_after_s=7200),
            tree.UpstreamRateLimitedError("too many at once", per_kind=True, retry_after_s=7200),
        ],
        ids=["exhausted", "per_kind"],
    )
    @pytest.mark.parametrize(("stopped", "other"), [(FILM, PAINT), (PAINT, FILM)], ids=["videos", "pictures"])
    async def test_limit_on_one_kind_leaves_the_other_and_is_not_asked_again(
        self, stage: Stage, error: Exception, stopped: ModelSpec, other: ModelSpec
    ) -> None:
        await stage.accounts(1)
        call = "submit" if stopped is FILM else "produce"
        stage.upstream.fail(call, error, times=None)
        await self.is_refused(stage, stopped)
        stage.upstream.faults.clear()
        assert (await stage.made(other)).generation.account_id == 1
        await self.is_refused(stage, stopped)
        assert stage.upstream.count(call) == 1

    async def is_refused(self, stage: Stage, spec: ModelSpec) -> None:
        try:
            assert isinstance(await stage.end(spec), Failed)
        except tree.PoolError:
            return

    async def test_account_that_cannot_enlarge_makes_the_plain_ones_and_others_the_large_ones(
        self, stage: Stage
    ) -> None:
        await stage.accounts(2)
        await stage.tend.went_well(2, LARGE_PAINT, call=CallKind.ENLARGEMENT)
        for _ in range(3):
            error = tree.UpstreamTimeoutError("late")
            await stage.tend.went_wrong(1, error, LARGE_PAINT, call=CallKind.ENLARGEMENT)
        assert (await stage.made(PAINT)).generation.account_id == 1
        assert (await stage.made(FILM)).generation.account_id == 1
        assert (await stage.made(LARGE_PAINT)).generation.account_id == 2

    @pytest.mark.parametrize("spec", [LARGE_PAINT, LARGE_FILM], ids=lambda spec: spec.name)
    async def test_failing_enlargements_are_counted_and_a_plain_one_is_better_than_none(
        self, stage: Stage, spec: ModelSpec
    ) -> None:
        await stage.accounts(2)
        await stage.tend.went_well(2, LARGE_PAINT, call=CallKind.ENLARGEMENT)
        stage.pool.put(stage.known(2).resting(RestReason.MANUAL, stage.clock.now()))
        name = "produce" if spec is LARGE_PAINT else "submit"
        for _ in range(4):
            stage.upstream.faults.clear()
            stage.upstream.fail(name, tree.UpstreamUnavailableError("down", reached=False), nth=2, account_id=1)
            assert "plain size" in (await stage.made(spec)).generation.warnings[0]
        rest = stage.known(1).rest_of(RestReason.ERROR_STREAK, call=CallKind.ENLARGEMENT)
        assert rest is not None
        assert len(stage.known(1).rests) == 1

    async def test_account_that_takes_no_uploads_still_makes_what_needs_none(self, stage: Stage) -> None:
        await stage.accounts(3)
        await stage.tend.went_well(3, PAINT, call=CallKind.UPLOAD)
        stage.upstream.fail("upload", tree.UpstreamInvalidError("garbage"), account_id=1, times=None)
        for number in range(3):
            picture = await stage.media(salt=str(number))
            made = await stage.made(PAINT, inputs=(Input(picture.id, InputRole.REFERENCE),))
            assert made.generation.account_id == 2
        assert stage.known(1).rest_of(RestReason.ERROR_STREAK, call=CallKind.UPLOAD) is not None
        stage.upstream.calls.clear()
        picture = await stage.media(salt="more")
        await stage.made(PAINT, inputs=(Input(picture.id, InputRole.REFERENCE),))
        assert stage.upstream.count("upload", 1) == 0
        assert (await stage.made(PAINT)).generation.account_id == 1

    async def test_two_accounts_that_take_no_uploads_are_found_among_those_that_do(self, stage: Stage) -> None:
        await stage.accounts(6)
        for account_id in (1, 2):
            stage.upstream.fail("upload", tree.UpstreamInvalidError("garbage"), account_id=account_id, times=None)
        stage.configure(retries_per_min=1000)
        stage.policy = LeastRecentlyUsed()
        for number in range(20):
            picture = await stage.media(salt=str(number))
            await stage.made(PAINT, inputs=(Input(picture.id, InputRole.REFERENCE),))
            await stage.clock.sleep(2)
        for account_id in (1, 2):
            assert stage.known(account_id).rest_of(RestReason.ERROR_STREAK, call=CallKind.UPLOAD) is not None
        assert all(not stage.known(one).rests for one in (3, 4, 5, 6))

    async def test_pictures_that_fail_leave_videos_and_the_other_way_round(self, stage: Stage) -> None:
        await stage.accounts(2)
        await stage.tend.went_well(2, PAINT)
        stage.upstream.fail("produce", tree.UpstreamTimeoutError("late"), account_id=1, times=None)
        for _ in range(3):
            assert (await stage.made(PAINT)).generation.account_id == 2
        stage.upstream.calls.clear()
        assert (await stage.made(PAINT)).generation.account_id == 2
        assert stage.upstream.count("produce", 1) == 0
        assert (await stage.made(FILM)).generation.account_id == 1


class TestProbation:
    async def rested(self, stage: Stage) -> None:
        await stage.accounts(2)
        await stage.tend.went_well(2, PAINT)
        for _ in range(3):
            await stage.tend.went_wrong(1, tree.UpstreamTimeoutError("late"), PAINT)
        await stage.clock.sleep(30)

    async def test_gets_one_request_at_a_time_until_one_has_succeeded(self, stage: Stage) -> None:
        await self.rested(stage)
        first = await stage.pool.acquire(Need(PAINT), stage.policy)
        assert first.account_id == 1
        assert [(await stage.pool.acquire(Need(PAINT), stage.policy)).account_id for _ in range(3)] == [2, 2, 2]
        assert (await stage.pool.acquire(Need(FILM), stage.policy)).account_id == 1
        await stage.tend.went_well(1, PAINT)
        assert [(await stage.pool.acquire(Need(PAINT), stage.policy, {2})).account_id for _ in range(3)] == [1, 1, 1]
        assert stage.known(1).rests == ()

    async def test_failure_there_is_the_next_step(self, stage: Stage) -> None:
        await self.rested(stage)
        await stage.tend.went_well(2, PAINT)
        await stage.tend.went_wrong(1, tree.UpstreamTimeoutError("late"), PAINT)
        (rest,) = stage.known(1).rests
        assert (rest.step, rest.until) == (1, stage.clock.now() + timedelta(minutes=5))
        assert (await stage.pool.acquire(Need(PAINT), stage.policy)).account_id == 2

    async def test_kind_that_is_switched_off_stays_so(self, stage: Stage) -> None:
        await self.rested(stage)
        account = stage.known(1)
        stage.pool.put(account)
        candidate = stage.pool.candidates[1]
        assert (candidate.limit(PAINT.kind), candidate.limit(FILM.kind)) == (1, None)


class TestPanic:
    async def failing_pool(self, stage: Stage, failing: int, total: int) -> None:
        await stage.accounts(total)
        for account_id in range(1, failing + 1):
            for _ in range(3 + account_id):
                at = stage.clock.now()
                await stage.tend.change(
                    account_id,
                    lambda one, at=at: one.faulted(at, threshold=3, call=CallKind.PICTURE),  # type: ignore[misc]
                )

    async def test_least_bad_of_a_pool_that_mostly_fails_serves_one_at_a_time(self, stage: Stage) -> None:
        await self.failing_pool(stage, 3, 3)
        leases = [await stage.pool.acquire(Need(PAINT), stage.policy) for _ in range(3)]
        assert [lease.account_id for lease in leases] == [1, 2, 3]
        with pytest.raises(tree.NoEligibleAccountError):
            await stage.pool.acquire(Need(PAINT), stage.policy)

    async def test_pool_of_which_half_is_well_does_not_use_the_ill_half(self, stage: Stage) -> None:
        await self.failing_pool(stage, 2, 4)
        for account_id in (3, 4):
            await stage.tend.went_wrong(account_id, tree.UpstreamRateLimitedError("too fast"), PAINT)
        with pytest.raises(tree.PoolBusyError):
            await stage.pool.acquire(Need(PAINT), stage.policy)

    async def test_those_with_something_else_against_them_stay_out(self, stage: Stage) -> None:
        await self.failing_pool(stage, 3, 3)
        await stage.tend.went_wrong(1, tree.AccountUnusableError("region"), PAINT)
        await stage.tend.went_wrong(2, tree.UpstreamRateLimitedError("too fast"), PAINT)
        assert (await stage.pool.acquire(Need(PAINT), stage.policy, avoid=())).account_id == 3

    async def test_success_in_need_puts_the_account_on_probation(self, stage: Stage) -> None:
        await self.failing_pool(stage, 1, 1)
        await stage.made(PAINT)
        assert stage.known(1).probation(CallKind.PICTURE, stage.clock.now()) is not None
        await stage.made(PAINT)
        assert stage.known(1).rests == ()


async def test_account_that_is_not_warm_and_fails_at_pictures_is_warmed_for_a_video(stage: Stage) -> None:
    account = await stage.cold_account()
    now = stage.clock.now()
    await stage.tend.change(account.id, lambda one: one.faulted(now, threshold=1, call=CallKind.PICTURE))
    assert (await stage.made(FILM)).generation.account_id == account.id
