from datetime import UTC, datetime

import pytest

from flow2api.adapters.gemini.quotas import Violation, rate_limit, until_reset
from flow2api.domain.errors import ModelAccessError, UpstreamRateLimitedError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-PaidTier"
PER_MINUTE = "GenerateRequestsPerMinutePerProject-PaidTier"


def limited(*violations: Violation, retry_after_s: float | None = None, **told: str) -> UpstreamRateLimitedError:
    error = rate_limit(
        told.get("message", ""), violations, code=told.get("code", ""), retry_after_s=retry_after_s, now=NOW
    )
    assert isinstance(error, UpstreamRateLimitedError)
    return error


def test_day_is_over_at_midnight_on_the_pacific_coast() -> None:
    assert until_reset(NOW) == 20 * 3600  # 12:00 UTC is 4:00 there in winter
    assert until_reset(datetime(2026, 7, 1, 12, 0, tzinfo=UTC)) == 19 * 3600
    assert until_reset(datetime(2026, 11, 23, 8, 0, tzinfo=UTC)) == 24 * 3600


def test_quota_of_a_day_rests_the_model_until_the_day_is_over() -> None:
    error = limited(Violation(PER_DAY, 250, is_of_model=True), retry_after_s=37.0)

    assert (error.exhausted, error.per_model, error.retry_after_s) == (True, True, 20 * 3600)
    assert error.reason == PER_DAY


def test_quota_of_a_minute_rests_for_as_long_as_it_is_asked() -> None:
    error = limited(Violation(PER_MINUTE, 10, is_of_model=False), retry_after_s=37.0)

    assert (error.exhausted, error.per_model, error.retry_after_s) == (False, False, 37.0)


def test_refusal_that_tells_nothing_leaves_the_pause_to_the_account_s_own_steps() -> None:
    error = limited(message="Resource has been exhausted.")

    assert (error.retry_after_s, error.exhausted, error.per_model) == (None, False, False)


def test_word_of_interactions_for_a_used_up_day_is_understood() -> None:
    assert limited(code="quota_exceeded").exhausted
    assert not limited(code="rate_limit_exceeded").exhausted


@pytest.mark.parametrize(
    ("violations", "message"),
    [
        ([Violation("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 0, is_of_model=True)], "You exceeded"),
        (
            [Violation("GenerateRequestsPerDay-FreeTier", None, is_of_model=True)],
            "* Quota exceeded, limit: 0, model: x",
        ),
        ([Violation(PER_DAY, 5, is_of_model=True), Violation("FreeTier", 0, is_of_model=True)], ""),
    ],
)
def test_limit_of_nothing_is_no_claim_to_the_model(violations: list[Violation], message: str) -> None:
    error = rate_limit(message, violations, retry_after_s=20.0, now=NOW)

    assert isinstance(error, ModelAccessError)


def test_other_limit_that_begins_with_nothing_is_no_lack_of_a_claim() -> None:
    assert isinstance(rate_limit("limit: 01 or limit: 05", [], retry_after_s=None, now=NOW), UpstreamRateLimitedError)
