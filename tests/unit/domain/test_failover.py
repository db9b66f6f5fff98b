"""What each error of the tree means: every one of them, so that a new one has to be thought about."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, CallKind, RestReason, Streak
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.failover import Next, Verdict, after_error, after_submit, judge, may_have_been_carried_out
from flow2api.domain.usecases.job import TakenOverError
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.fakes.clock import START

GIVE_UP = Verdict(Next.GIVE_UP)
ELSEWHERE = Verdict(Next.ANOTHER_ACCOUNT)
OWN_FAULT = Verdict(Next.ANOTHER_ACCOUNT, is_own_fault=True)


def resting(reason: RestReason) -> Verdict:
    return Verdict(Next.ANOTHER_ACCOUNT, reason)


CASES: list[tuple[Flow2ApiError, Verdict, bool]] = [
    (Flow2ApiError("?"), GIVE_UP, False),
    (tree.RequestError("?"), GIVE_UP, False),
    (tree.UnknownModelError("?"), GIVE_UP, False),
    (tree.UnsupportedInputError("?"), GIVE_UP, False),
    (tree.ContentBlockedError("SEXUAL"), GIVE_UP, False),
    (tree.InvalidApiKeyError(presented=True), GIVE_UP, False),
    (tree.ExpiredApiKeyError(datetime(2026, 11, 1, tzinfo=UTC)), GIVE_UP, False),
    (tree.KeyScopeError("images"), GIVE_UP, False),
    (tree.ModelNotAllowedError("?"), GIVE_UP, False),
    (tree.KeyConcurrencyError(1), GIVE_UP, False),
    (tree.KeyDayLimitError(1, 2.5), GIVE_UP, False),
    (tree.IdempotencyConflictError("?"), GIVE_UP, False),
    (tree.GenerationNotFoundError("?"), GIVE_UP, False),
    (tree.NotReadyError("?"), GIVE_UP, False),
    (tree.ConflictError("?"), GIVE_UP, False),
    (tree.NotKnownError("?"), GIVE_UP, False),
    (tree.ChangedMeanwhileError(["name"]), GIVE_UP, False),
    (tree.OptionLockedError("?"), GIVE_UP, False),
    (tree.AccountNotFoundError(1), GIVE_UP, False),
    (tree.RecordNotFoundError(1), GIVE_UP, False),
    (tree.KeyLimitError(1, 2.5), GIVE_UP, False),
    (tree.OperatorError("?"), GIVE_UP, False),
    (tree.HostNotAllowedError("evil.test"), GIVE_UP, False),
    (tree.SetupRequiredError(), GIVE_UP, False),
    (tree.SetupClosedError(), GIVE_UP, False),
    (tree.SetupCodeRefusedError(), GIVE_UP, False),
    (tree.SecondFactorRequiredError(), GIVE_UP, False),
    (tree.SignInRefusedError(), GIVE_UP, False),
    (tree.SessionTooOldError(), GIVE_UP, False),
    (tree.TooManyTriesError(1), GIVE_UP, False),
    (tree.NotSignedInError(presented=True), GIVE_UP, False),
    (tree.NotAllowedError("?"), GIVE_UP, False),
    (tree.ConnectionTokenError(), GIVE_UP, False),
    (tree.PoolError("?", {}), GIVE_UP, False),
    (tree.NoEligibleAccountError({}), GIVE_UP, False),
    (tree.PoolBusyError({}), GIVE_UP, False),
    (tree.CredentialError("?"), resting(RestReason.AUTH_EXPIRED), False),
    (tree.CredentialExpiredError("?"), resting(RestReason.AUTH_EXPIRED), False),
    (tree.CredentialRevokedError("?"), resting(RestReason.AUTH_EXPIRED), False),
    (tree.UpstreamError("?"), GIVE_UP, False),
    (tree.UpstreamRateLimitedError("?"), resting(RestReason.RATE_LIMITED), False),
    (tree.UpstreamRateLimitedError("?", exhausted=True), resting(RestReason.QUOTA), False),
    (tree.UpstreamRejectedError("?"), GIVE_UP, False),
    (tree.UpstreamDriftError("?"), GIVE_UP, False),
    (tree.UpstreamNotFoundError("?"), Verdict(Next.SAME_ACCOUNT_AFRESH), False),
    (tree.ModelAccessError("?"), resting(RestReason.NO_ACCESS), False),
    (tree.UpstreamRefusedError("?"), Verdict(Next.GIVE_UP, RestReason.REFUSED), False),
    (tree.AccountUnusableError("?"), resting(RestReason.UNUSABLE), False),
    (tree.UpstreamUnavailableError("?", reached=False), OWN_FAULT, False),
    (tree.UpstreamUnavailableError("?", reached=True), OWN_FAULT, True),
    (tree.UpstreamOverloadedError("?"), ELSEWHERE, False),
    (tree.ProxyUnavailableError("?", is_certain=True), ELSEWHERE, False),
    (tree.UpstreamPausedError(30), ELSEWHERE, False),
    (tree.GatewayLoopError(), ELSEWHERE, False),
    (tree.UpstreamTimeoutError("?"), OWN_FAULT, True),
    (tree.UpstreamInvalidError("?"), OWN_FAULT, True),
    (tree.UpstreamStateUnknownError("?"), GIVE_UP, False),
    (tree.MediaError("?"), GIVE_UP, False),
    (tree.MediaNotFoundError("?"), GIVE_UP, False),
    (tree.MediaGoneError("?"), GIVE_UP, False),
    (tree.StorageError("?"), GIVE_UP, False),
    (tree.StorageBusyError("?"), GIVE_UP, False),
    (tree.StorageFullError("?"), GIVE_UP, False),
    (tree.CoordinationError("?"), GIVE_UP, False),
    (tree.GenerationFailedError("?", code="?"), GIVE_UP, False),
    (tree.ShuttingDownError("?"), GIVE_UP, False),
    (tree.ConfigurationError("?"), GIVE_UP, False),
    (tree.PluginError("?"), GIVE_UP, False),
    (TakenOverError("?"), GIVE_UP, False),
]

HARMLESS = [error for error, verdict, _ in CASES if verdict.rests is None and not verdict.is_own_fault]


def all_of(cls: type[Flow2ApiError]) -> Iterator[type[Flow2ApiError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from all_of(child)


def after(error: Exception, account: Account | None = None, *, threshold: int = 3) -> Account:
    return after_error(account or AccountFactory.build(id=1), error, video_spec(), START, threshold=threshold)


def test_rest_from_a_model_is_kept_under_what_it_is_limited_as() -> None:
    account, spec = AccountFactory.build(id=1), video_spec("wide", limited_as="both")

    (rest,) = after_error(account, tree.ModelAccessError("?"), spec, START, threshold=3).rests

    assert rest.model == "both"


def test_every_error_of_the_tree_is_judged_here() -> None:
    judged = {type(error) for error, _, _ in CASES}
    missing = [
        cls.__name__
        for cls in all_of(Flow2ApiError)
        if cls.__module__.startswith("flow2api.domain") and cls not in judged
    ]
    assert not missing


@pytest.mark.parametrize(("error", "verdict", "may_be_done"), CASES, ids=lambda case: type(case).__name__)
def test_judges(error: Flow2ApiError, verdict: Verdict, may_be_done: bool) -> None:
    assert judge(error) == verdict
    assert may_have_been_carried_out(error) is may_be_done


def test_error_that_is_none_of_ours_touches_nothing() -> None:
    account = AccountFactory.build(id=1)
    assert judge(ValueError()) == GIVE_UP
    assert after(ValueError(), account) is account
    assert not may_have_been_carried_out(ValueError())


@pytest.mark.parametrize("error", HARMLESS, ids=lambda error: type(error).__name__)
def test_callers_and_services_faults_leave_the_account_as_it_is(error: Flow2ApiError) -> None:
    account = AccountFactory.build(id=1, streaks=(Streak(CallKind.VIDEO, 2),))
    assert after(error, account) is account


@pytest.mark.parametrize(("error", "verdict"), [(error, verdict) for error, verdict, _ in CASES if verdict.rests])
def test_rests_for_the_reason_that_the_verdict_names(error: Flow2ApiError, verdict: Verdict) -> None:
    (rest,) = after(error).rests
    assert rest.reason is verdict.rests
    assert rest.why == "?"


@pytest.mark.parametrize("error", [error for error, verdict, _ in CASES if verdict.is_own_fault])
def test_own_faults_count_up_to_the_threshold(error: Flow2ApiError) -> None:
    assert after(error).streak == 1
    assert not after(error).rests
    assert after(error, threshold=1).rests[0].reason is RestReason.ERROR_STREAK


def test_revoked_session_takes_the_access_token_with_it_and_is_booked_once() -> None:
    once = after(tree.CredentialRevokedError("gone"))
    assert once.access_expires_at is None
    assert after(tree.CredentialRevokedError("again"), once) is once


@pytest.mark.parametrize("exhausted", [True, False])
@pytest.mark.parametrize("per_model", [True, False])
def test_rate_limit_is_as_wide_as_upstream_says(exhausted: bool, per_model: bool) -> None:
    error = tree.UpstreamRateLimitedError("?", retry_after_s=20, per_model=per_model, exhausted=exhausted)
    (rest,) = after(error).rests
    assert rest.model == ("film" if per_model else None)
    assert rest.until == START + timedelta(seconds=20)


@pytest.mark.parametrize(
    ("error", "is_of_videos_alone"),
    [
        (tree.UpstreamRateLimitedError("?", exhausted=True), True),
        (tree.UpstreamRateLimitedError("?", per_kind=True), True),
        (tree.UpstreamRateLimitedError("?"), False),
        (tree.UpstreamRefusedError("?"), False),
    ],
)
def test_used_up_videos_and_too_many_of_them_leave_the_pictures(error: Flow2ApiError, is_of_videos_alone: bool) -> None:
    (rest,) = after(error).rests
    assert rest.call is (CallKind.VIDEO if is_of_videos_alone else None)
    assert rest.stops(CallKind.PICTURE) is not is_of_videos_alone


def test_share_that_is_used_up_outside_of_any_making_is_the_accounts() -> None:
    error = tree.UpstreamRateLimitedError("?", exhausted=True)
    (rest,) = after_error(AccountFactory.build(id=1), error, None, START, threshold=3).rests
    assert rest.is_whole


def test_limit_for_a_model_of_a_call_without_one_is_the_accounts() -> None:
    error = tree.UpstreamRateLimitedError("?", per_model=True)
    (rest,) = after_error(AccountFactory.build(id=1), error, None, START, threshold=3).rests
    assert rest.model is None


def test_lack_of_access_rests_for_this_model_a_day() -> None:
    (rest,) = after(tree.ModelAccessError("?", reason="PUBLIC_ERROR_MODEL_ACCESS_DENIED")).rests
    assert (rest.model, rest.until) == ("film", START + timedelta(hours=24))
    assert rest.why == "PUBLIC_ERROR_MODEL_ACCESS_DENIED"
    account = AccountFactory.build(id=1)
    assert after_error(account, tree.ModelAccessError("?"), None, START, threshold=3) is account


def test_anti_abuse_refusal_rests_in_the_steps_of_a_rate_limit() -> None:
    account = after(tree.UpstreamRefusedError("?"))
    (rest,) = account.rests
    assert rest.until == START + timedelta(minutes=1)
    later = START + timedelta(minutes=1)
    (rest,) = after_error(account, tree.UpstreamRefusedError("?"), None, later, threshold=3).rests
    assert rest.until == later + timedelta(minutes=5)


@pytest.mark.parametrize(("error", "_", "may_be_done"), CASES, ids=lambda case: type(case).__name__)
def test_paid_submit_that_may_have_been_carried_out_is_unknown(
    error: Flow2ApiError, _: Verdict, may_be_done: bool
) -> None:
    meant = after_submit(error, video_spec())
    assert (meant is error) is not may_be_done
    assert isinstance(meant, tree.UpstreamStateUnknownError if may_be_done else type(error))
    assert after_submit(error, picture_spec()) is error


def test_unknown_end_of_a_submit_counts_as_its_cause_does() -> None:
    late = after_submit(tree.UpstreamTimeoutError("late"), video_spec())
    assert judge(late) == replace(GIVE_UP, is_own_fault=True)
    assert "late" in str(late)
    assert after(late).streak == 1
