from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.gemini.errors import late_failure, refusal
from flow2api.domain.errors import (
    AccountUnusableError,
    ContentBlockedError,
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

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TYPE = "type.googleapis.com/google.rpc."


def envelope(status: int, word: str = "", message: str = "", *details: dict[str, Any]) -> bytes:
    error: dict[str, Any] = {"code": status, "message": message, "status": word}
    return msgspec.json.encode({"error": error | ({"details": details} if details else {})})


def info(reason: str) -> dict[str, Any]:
    return {"@type": TYPE + "ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": {"service": "x"}}


def error_for(status: int, body: bytes, *, names_model: bool = True, head: list[bytes] | None = None) -> Flow2ApiError:
    return refusal(Answer(status, head or [], body), now=NOW, names_model=names_model)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, envelope(400, "INVALID_ARGUMENT", "API key not valid.", info("API_KEY_INVALID")), CredentialRevokedError),
        (400, envelope(400, "INVALID_ARGUMENT", "API key expired. Please renew it."), CredentialRevokedError),
        (400, envelope(400, "FAILED_PRECONDITION", "User location is not supported."), AccountUnusableError),
        (400, envelope(400, "INVALID_ARGUMENT", 'Unknown name "foo": Cannot find field.'), UpstreamDriftError),
        (400, envelope(400, "INVALID_ARGUMENT", "The prompt violates our policies."), ContentBlockedError),
        (400, envelope(400, "INVALID_ARGUMENT", "Invalid aspect ratio."), UpstreamRejectedError),
        (401, envelope(401, "UNAUTHENTICATED", "Bad credentials."), CredentialRevokedError),
        (401, b"", CredentialRevokedError),
        (402, b'{"error": {"code": "payment_required", "message": "Add funds."}}', UpstreamRateLimitedError),
        (403, envelope(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), CredentialRevokedError),
        (403, envelope(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers."), CredentialRevokedError),
        (403, envelope(403, "PERMISSION_DENIED", "Blocked.", info("SERVICE_DISABLED")), AccountUnusableError),
        (403, envelope(403, "PERMISSION_DENIED", "No permission."), ModelAccessError),
        (403, envelope(403, "PERMISSION_DENIED", "No permission to access the File abc."), UpstreamNotFoundError),
        (403, b"<html>", UpstreamRefusedError),
        (404, envelope(404, "NOT_FOUND", "models/foo is not found."), ModelAccessError),
        (404, b"<html>", UpstreamDriftError),
        (409, envelope(409, "ABORTED", ""), UpstreamUnavailableError),
        (413, envelope(413, "INVALID_ARGUMENT", "Too large."), UpstreamRejectedError),
        (429, envelope(429, "RESOURCE_EXHAUSTED", ""), UpstreamRateLimitedError),
        (429, b"", UpstreamRateLimitedError),
        (500, envelope(500, "INTERNAL", ""), UpstreamUnavailableError),
        (503, envelope(503, "UNAVAILABLE", "The model is overloaded."), UpstreamOverloadedError),
        (302, b"", UpstreamInvalidError),
        (202, envelope(202), UpstreamInvalidError),
    ],
)
def test_refusal_has_its_meaning(status: int, body: bytes, expected: type[Flow2ApiError]) -> None:
    assert type(error_for(status, body)) is expected


@pytest.mark.parametrize(
    ("status", "body", "reached"),
    [
        (500, envelope(500, "INTERNAL"), False),
        (502, b"<html>", True),
        (504, envelope(504, "DEADLINE_EXCEEDED"), True),
        (503, b"", True),
        (499, envelope(499, "CANCELLED"), True),
    ],
)
def test_failure_tells_whether_something_may_have_been_made(status: int, body: bytes, reached: bool) -> None:
    error = error_for(status, body)

    assert isinstance(error, UpstreamUnavailableError)
    assert error.reached is reached


def test_unknown_operation_or_file_is_not_found_and_blames_no_model() -> None:
    assert type(error_for(404, envelope(404, "NOT_FOUND"), names_model=False)) is UpstreamNotFoundError
    assert type(error_for(403, envelope(403, "PERMISSION_DENIED"), names_model=False)) is AccountUnusableError


def test_pause_of_a_429_comes_from_its_details() -> None:
    quota = {
        "@type": TYPE + "QuotaFailure",
        "violations": [{"quotaId": "PerMinute", "quotaDimensions": {"model": "m"}, "quotaValue": "10"}],
    }
    strange = {"@type": TYPE + "Help", "links": [{"url": "https://example.com"}], "violations": "none"}
    body = envelope(429, "RESOURCE_EXHAUSTED", "", strange, quota, {"@type": TYPE + "RetryInfo", "retryDelay": "37.5s"})

    error = error_for(429, body, head=[b"Retry-After: 5"])

    assert isinstance(error, UpstreamRateLimitedError)
    assert (error.retry_after_s, error.per_model, error.exhausted) == (37.5, True, False)


def test_header_says_the_pause_where_the_details_do_not() -> None:
    error = error_for(429, envelope(429), head=[b"Retry-After: 5"])

    assert isinstance(error, UpstreamRateLimitedError)
    assert error.retry_after_s == 5.0


def test_error_that_comes_in_a_list_is_read() -> None:
    body = b"[" + envelope(400, "INVALID_ARGUMENT", "API key not valid.", info("API_KEY_INVALID")) + b"]"

    assert isinstance(error_for(400, body), CredentialRevokedError)


def test_message_never_holds_more_than_the_first_line() -> None:
    assert "secret" not in error_for(500, envelope(500, "INTERNAL", "first\nsecret")).message


@given(status=st.integers(201, 599), body=st.binary() | st.just(envelope(400)) | st.just(b"[]"), named=st.booleans())
def test_every_refusal_has_an_error(status: int, body: bytes, named: bool) -> None:
    assert error_for(status, body, names_model=named).message


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (3, "The prompt violates the policies on Responsible AI.", ContentBlockedError),
        ("content_blocked", "", ContentBlockedError),
        (13, "Internal error.", UpstreamRejectedError),
        ("failed", "", UpstreamRejectedError),
    ],
)
def test_video_that_failed_late_says_why(code: int | str, message: str, expected: type[Exception]) -> None:
    assert type(late_failure(code, message)) is expected
