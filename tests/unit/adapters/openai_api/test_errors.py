"""Every error of the tree has its line, and the line keeps the SDKs from paying twice."""

from datetime import UTC, datetime

import pytest

from flow2api.adapters.openai_api.errors import ANSWERS, Retry, answer_of, retry_headers
from flow2api.domain import errors as tree
from flow2api.domain.errors import Flow2ApiError


def everything(cls: type[Flow2ApiError]) -> list[type[Flow2ApiError]]:
    return [cls, *(found for child in cls.__subclasses__() for found in everything(child))]


@pytest.mark.parametrize(
    "cls",
    [cls for cls in everything(Flow2ApiError) if cls.__module__.startswith(f"{tree.__name__}.")],
    ids=lambda cls: cls.__name__,
)
def test_every_error_has_its_own_line(cls: type[Flow2ApiError]) -> None:
    assert cls in ANSWERS


@pytest.mark.parametrize("answer", ANSWERS.values())
def test_what_sdks_repeat_by_themselves_says_whether_they_may(answer: object) -> None:
    line = next(one for one in ANSWERS.values() if one is answer)
    if line.status in (408, 409, 429) or line.status >= 500:
        assert line.retry is not Retry.AS_USUAL


CASES: list[tuple[Flow2ApiError, int, str, dict[str, str]]] = [
    (tree.UnknownModelError("x"), 404, "invalid_request_error", {}),
    (tree.ContentBlockedError(), 400, "image_generation_user_error", {}),
    (tree.IdempotencyConflictError("x"), 422, "invalid_request_error", {}),
    (tree.GenerationNotFoundError("x"), 404, "invalid_request_error", {}),
    (tree.NotReadyError("x"), 404, "invalid_request_error", {}),
    (tree.PoolBusyError({"busy": 1}), 429, "rate_limit_error", {"retry-after": "10"}),
    (tree.PoolBusyError({"busy": 1}, retry_after_s=0.2), 429, "rate_limit_error", {"retry-after": "1"}),
    (tree.PoolBusyError({"busy": 1}, retry_after_s=4000), 429, "rate_limit_error", {"retry-after": "60"}),
    (tree.NoEligibleAccountError({"no_tier": 1}), 503, "server_error", {"x-should-retry": "false"}),
    (
        tree.NoEligibleAccountError({"refused": 1}, waiting_helps=True),
        503,
        "server_error",
        {"retry-after": "30"},
    ),
    (tree.UpstreamUnavailableError("x", reached=True), 502, "server_error", {"x-should-retry": "false"}),
    (tree.UpstreamOverloadedError("x", retry_after_s=12), 503, "server_error", {"retry-after": "12"}),
    (tree.UpstreamTimeoutError("x"), 504, "server_error", {"x-should-retry": "false"}),
    (tree.UpstreamStateUnknownError("x"), 502, "server_error", {"x-should-retry": "false"}),
    (
        tree.UpstreamRateLimitedError("x", exhausted=True),
        429,
        "insufficient_quota",
        {"x-should-retry": "false"},
    ),
    (tree.UpstreamRateLimitedError("x", retry_after_s=3), 429, "rate_limit_error", {"retry-after": "3"}),
    (tree.StorageFullError("x"), 503, "server_error", {"x-should-retry": "false"}),
    (tree.StorageBusyError("x"), 503, "server_error", {"retry-after": "2"}),
    (tree.ShuttingDownError("x"), 503, "server_error", {"retry-after": "5"}),
    (tree.CoordinationError("x"), 503, "server_error", {"retry-after": "5"}),
    (tree.KeyLimitError(10, 12.3), 429, "rate_limit_error", {"retry-after": "13"}),
    (tree.KeyConcurrencyError(2), 429, "rate_limit_error", {"retry-after": "10"}),
    (tree.KeyDayLimitError(9, 7200.5), 429, "rate_limit_error", {"retry-after": "7201", "x-should-retry": "false"}),
    (tree.ExpiredApiKeyError(datetime(2026, 11, 1, tzinfo=UTC)), 401, "invalid_request_error", {}),
    (tree.KeyScopeError("videos"), 403, "invalid_request_error", {}),
    (tree.ModelNotAllowedError("x"), 404, "invalid_request_error", {}),
    (tree.MediaGoneError("x"), 410, "invalid_request_error", {}),
    (
        tree.GenerationFailedError("x", code="moderation_blocked"),
        400,
        "image_generation_user_error",
        {"x-should-retry": "false"},
    ),
    (
        tree.GenerationFailedError("x", code="rate_limit_exceeded"),
        429,
        "rate_limit_error",
        {"x-should-retry": "false"},
    ),
    (tree.GenerationFailedError("x", code="cancelled"), 409, "invalid_request_error", {"x-should-retry": "false"}),
    (tree.GenerationFailedError("x", code="poison"), 502, "server_error", {"x-should-retry": "false"}),
]


@pytest.mark.parametrize(("error", "status", "kind", "headers"), CASES)
def test_status_type_and_retry(error: Flow2ApiError, status: int, kind: str, headers: dict[str, str]) -> None:
    answer = answer_of(error)
    assert (answer.status, answer.type, retry_headers(answer, error)) == (status, kind, headers)


def test_a_subclass_from_elsewhere_is_answered_as_its_parent() -> None:
    class TiredError(tree.UpstreamTimeoutError):
        pass

    try:
        assert answer_of(TiredError("x")).status == 504
    finally:
        del TiredError
