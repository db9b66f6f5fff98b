from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.flow.errors import (
    FILTERED,
    inner_failure,
    late_failure,
    moved,
    read_error,
    reason_of,
    refusal,
)
from flow2api.domain.errors import (
    AccountUnusableError,
    ContentBlockedError,
    CredentialExpiredError,
    CredentialRevokedError,
    Flow2ApiError,
    ModelAccessError,
    UpstreamDriftError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamRateLimitedError,
    UpstreamRefusedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from flow2api.libcurl.calls import Answer
from flow2api.testing.fakes.clock import START

HTML = b"<html><body>Bad gateway</body></html>"


def envelope(code: int, message: str = "", reason: str = "") -> bytes:
    error: dict[str, Any] = {"code": code, "message": message, "status": "X"}
    if reason:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    return msgspec.json.encode({"error": error})


def error_for(status: int, body: bytes, head: list[bytes] | None = None, *, by_session: bool = False) -> Flow2ApiError:
    return refusal(Answer(status, head or [], body), now=START, by_session=by_session)


@pytest.mark.parametrize(
    ("status", "message", "reason", "expected"),
    [
        (400, 'Invalid JSON payload received. Unknown name "x": Cannot find field.', "", UpstreamDriftError),
        (400, "Invalid value at 'requests[0].ratio'", "", UpstreamDriftError),
        (400, "Request contains an invalid argument.", "PUBLIC_ERROR_MINOR_UPLOAD", ContentBlockedError),
        (400, "Request contains an invalid argument.", "PUBLIC_ERROR_IMAGE_TOO_LARGE", UpstreamRejectedError),
        (400, "Requested entity was not found.", "", UpstreamNotFoundError),
        (404, "Requested entity was not found.", "", UpstreamNotFoundError),
        (401, "Request had invalid authentication credentials.", "", CredentialExpiredError),
        (401, "", "CREDENTIALS_MISSING", CredentialExpiredError),
        (403, "The caller does not have permission", "", ModelAccessError),
        (403, "The caller does not have permission", "PUBLIC_ERROR_MODEL_ACCESS_DENIED", ModelAccessError),
        (403, "The caller does not have permission", "PUBLIC_ERROR_SOMETHING_WENT_WRONG", UpstreamRefusedError),
        (403, "The caller does not have permission", "PUBLIC_ERROR_NEVER_SEEN", UpstreamRefusedError),
        (403, "reCAPTCHA evaluation failed", "", UpstreamRefusedError),
        (403, "", "PUBLIC_ERROR_USER_MINOR", AccountUnusableError),
        (429, "Resource has been exhausted", "", UpstreamRateLimitedError),
        (429, "", "PUBLIC_ERROR_MODEL_OVERLOADED", UpstreamOverloadedError),
        (503, "", "PUBLIC_ERROR_MODEL_DISABLED_DUE_TO_TRAFFIC", UpstreamOverloadedError),
        (500, "Internal error encountered.", "", UpstreamUnavailableError),
    ],
)
def test_refusal_is_told_by_reason_and_status(
    status: int, message: str, reason: str, expected: type[Exception]
) -> None:
    assert type(error_for(status, envelope(status, message, reason))) is expected


@pytest.mark.parametrize("word", sorted(FILTERED))
def test_every_word_of_the_filter_is_the_callers_fault_early_and_late(word: str) -> None:
    reason = f"PUBLIC_ERROR_{word}"

    assert isinstance(error_for(400, envelope(400, reason=reason)), ContentBlockedError)
    assert isinstance(late_failure(reason), ContentBlockedError)


@pytest.mark.parametrize(
    ("status", "body", "reached"),
    [
        (500, envelope(500), False),
        (503, envelope(503), False),
        (501, envelope(501), False),
        (502, envelope(502), True),
        (504, envelope(504), True),
        (500, HTML, True),
        (503, b"", True),
    ],
)
def test_only_an_envelope_proves_that_nothing_was_made(status: int, body: bytes, reached: bool) -> None:
    error = error_for(status, body)

    assert isinstance(error, UpstreamUnavailableError)
    assert error.reached is reached


@pytest.mark.parametrize(
    ("reason", "exhausted", "per_model"),
    [
        ("PUBLIC_ERROR_USER_QUOTA_REACHED", True, False),
        ("PUBLIC_ERROR_PER_MODEL_DAILY_QUOTA_REACHED", True, True),
        ("PUBLIC_ERROR_PER_MODEL_DAILY_QUOTA_REACHED_UPGRADEABLE", True, True),
        ("PUBLIC_ERROR_CONCURRENT_LIMIT_REACHED", False, False),
        ("PUBLIC_ERROR_GENERATION_ALREADY_IN_PROGRESS", False, False),
    ],
)
def test_rate_limit_tells_its_scope(reason: str, exhausted: bool, per_model: bool) -> None:
    error = error_for(429, envelope(429, reason=reason), [b"Retry-After: 30\r\n"])

    assert isinstance(error, UpstreamRateLimitedError)
    assert (error.exhausted, error.per_model, error.retry_after_s) == (exhausted, per_model, 30.0)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, UpstreamRejectedError),
        (401, CredentialExpiredError),
        (403, UpstreamRefusedError),
        (404, UpstreamDriftError),
        (407, UpstreamUnavailableError),
        (429, UpstreamRateLimitedError),
    ],
)
def test_bare_status_is_told_too(status: int, expected: type[Exception]) -> None:
    assert type(error_for(status, HTML)) is expected


@pytest.mark.parametrize("status", [401, 431])
def test_refused_cookie_is_a_dead_session(status: int) -> None:
    assert isinstance(error_for(status, HTML, by_session=True), CredentialRevokedError)


def test_envelope_of_the_labs_base_is_read() -> None:
    body = (
        b'{"error":{"json":{"message":"UNAUTHORIZED","code":-32001,"data":{"code":"UNAUTHORIZED","httpStatus":401}}}}'
    )

    error = read_error(body)

    assert error is not None
    assert (error.code, reason_of(error)) == (401, "UNAUTHORIZED")


def test_redirect_to_the_successor_is_a_moved_account() -> None:
    error = error_for(307, b"", [b"Location: https://flow.google.com/\r\n"], by_session=True)

    assert isinstance(error, AccountUnusableError)
    assert error.reason == "migrated"


def test_redirect_elsewhere_is_a_dead_session_or_no_answer() -> None:
    assert isinstance(moved("https://accounts.google.com/", by_session=True), CredentialRevokedError)
    assert isinstance(moved("https://flow.google.com.evil.example/", by_session=False), UpstreamInvalidError)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, CredentialRevokedError),
        (404, UpstreamNotFoundError),
        (400, UpstreamRejectedError),
        (500, UpstreamUnavailableError),
    ],
)
def test_failure_inside_a_success_is_told_by_its_status(status: int, expected: type[Exception]) -> None:
    assert type(inner_failure(status)) is expected


@given(
    status=st.integers(300, 599), body=st.binary() | st.sampled_from([envelope(400), HTML]), by_session=st.booleans()
)
def test_every_refusal_has_an_error(status: int, body: bytes, by_session: bool) -> None:
    assert error_for(status, body, by_session=by_session).message


def test_late_failure_without_a_reason_says_so() -> None:
    error = late_failure("")

    assert isinstance(error, UpstreamRejectedError)
    assert "no reason" in error.message
