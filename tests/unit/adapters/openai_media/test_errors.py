"""What each refusal means; and that whatever comes has an error of the tree."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.openai_media.errors import Told, late_failure, read_error, refusal
from flow2api.domain.errors import (
    AccountUnusableError,
    ContentBlockedError,
    CredentialRevokedError,
    Flow2ApiError,
    GatewayLoopError,
    ModelAccessError,
    UnsupportedInputError,
    UpstreamDriftError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamRateLimitedError,
    UpstreamRefusedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.libcurl.calls import Answer
from flow2api.testing.fakes.clock import START

HTML = b"<html><body>Bad gateway</body></html>"


def envelope(code: str | None = None, message: str = "No.", kind: str = "", param: str | None = None) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def error_for(status: int, body: bytes = b"", **headers: str) -> Flow2ApiError:
    head = [f"{name.replace('_', '-')}: {value}\r\n".encode() for name, value in headers.items()]
    return refusal(Answer(status, head, body), now=START)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (302, b"", UpstreamInvalidError),
        (400, envelope("moderation_blocked", kind="image_generation_user_error"), ContentBlockedError),
        (400, envelope("content_policy_violation"), ContentBlockedError),
        (400, envelope("billing_hard_limit_reached"), UpstreamRateLimitedError),
        (400, envelope("invalid_value", param="model"), ModelAccessError),
        (400, envelope("invalid_value", param="prompt"), UnsupportedInputError),
        (400, envelope("unknown_parameter", param="seed"), UpstreamRejectedError),
        (400, HTML, UpstreamRejectedError),
        (401, envelope("invalid_api_key"), CredentialRevokedError),
        (401, HTML, CredentialRevokedError),
        (402, envelope(), UpstreamRateLimitedError),
        (403, envelope("unsupported_country_region_territory"), AccountUnusableError),
        (403, envelope(), ModelAccessError),
        (403, HTML, UpstreamRefusedError),
        (404, envelope("model_not_found", param="model"), ModelAccessError),
        (404, envelope("not_found", param="video_id"), UpstreamNotFoundError),
        (404, HTML, UpstreamDriftError),
        (405, b"", UpstreamDriftError),
        (408, envelope(), UpstreamTimeoutError),
        (409, envelope("conflict"), UpstreamRejectedError),
        (413, envelope(), UnsupportedInputError),
        (422, msgspec.json.encode({"detail": "size is no size"}), UnsupportedInputError),
        (422, envelope("idempotency_key_reused"), UpstreamRejectedError),
        (429, envelope("rate_limit_exceeded"), UpstreamRateLimitedError),
        (429, HTML, UpstreamRateLimitedError),
        (500, envelope(), UpstreamUnavailableError),
        (502, HTML, UpstreamUnavailableError),
        (503, envelope(), UpstreamOverloadedError),
        (503, envelope("no_account_available"), UpstreamRateLimitedError),
        (508, envelope("gateway_loop"), GatewayLoopError),
    ],
)
def test_refusal_has_its_error(status: int, body: bytes, expected: type[Exception]) -> None:
    assert type(error_for(status, body)) is expected


@pytest.mark.parametrize(
    ("status", "code", "headers", "reached"),
    [
        (500, "server_error", {}, False),
        (500, None, {"x_should_retry": "false"}, True),
        (502, None, {}, True),
        (504, None, {}, True),
        (503, None, {"x_should_retry": "false"}, True),
        (502, "upstream_state_unknown", {"x_should_retry": "false"}, True),
        (504, "upstream_timeout", {"x_should_retry": "false"}, True),
        (502, "upstream_unavailable", {"x_should_retry": "false"}, False),
        (502, "credential_revoked", {"x_should_retry": "false"}, False),
        (503, "storage_full", {"x_should_retry": "false"}, False),
        (425, None, {"x_should_retry": "true"}, False),
    ],
)
def test_failure_tells_whether_something_may_have_been_made(
    status: int, code: str | None, headers: dict[str, str], reached: bool
) -> None:
    error = error_for(status, envelope(code), **headers)

    assert isinstance(error, UpstreamUnavailableError)
    assert error.reached is reached


def test_page_in_place_of_an_error_proves_nothing() -> None:
    error = error_for(500, HTML)

    assert isinstance(error, UpstreamUnavailableError)
    assert error.reached


@pytest.mark.parametrize("words", [{"code": "insufficient_quota"}, {"kind": "insufficient_quota"}])
def test_used_up_quota_is_told_from_haste(words: dict[str, Any]) -> None:
    used_up, hasty = error_for(429, envelope(**words)), error_for(429, envelope("rate_limit_exceeded"))

    assert isinstance(used_up, UpstreamRateLimitedError)
    assert (used_up.exhausted, used_up.per_model) == (True, False)
    assert isinstance(hasty, UpstreamRateLimitedError)
    assert (hasty.exhausted, hasty.per_model) == (False, True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry_after": "7"}, 7.0), ({"retry_after_ms": "1500", "retry_after": "7"}, 1.5), ({}, None)],
)
def test_pause_is_as_long_as_the_host_asks(headers: dict[str, str], seconds: float | None) -> None:
    error = error_for(429, envelope(), **headers)

    assert isinstance(error, UpstreamRateLimitedError)
    assert error.retry_after_s == seconds


def test_callers_field_is_named_and_ours_are_not() -> None:
    theirs = error_for(400, envelope("invalid_image", "Not a picture.", param="image[0]"))
    ours = error_for(400, envelope("invalid_value", "No such format.", param="response_format"))

    assert isinstance(theirs, UnsupportedInputError)
    assert (theirs.param, theirs.code) == ("image", "invalid_image")
    assert isinstance(ours, UnsupportedInputError)
    assert (ours.param, ours.code) == (None, "invalid_value")


@pytest.mark.parametrize("key", ["sk-proj-abcdefghijklmnop", "f2a_Nl6YGafRLmreDCSeD8h", "sk-ab****************wxyz"])
def test_nothing_that_looks_like_a_key_is_repeated(key: str) -> None:
    error = error_for(400, envelope("invalid_value", f"Wrong key {key}\r\nfor this.", param="prompt"))

    assert key not in error.message
    assert error.message.endswith("Wrong key *** for this.")


def test_late_failure_says_why() -> None:
    assert isinstance(late_failure(Told(code="moderation_blocked")), ContentBlockedError)
    assert "out of luck" in str(late_failure(Told(message="out of luck", code="server_error")))
    assert isinstance(late_failure(None), UpstreamRejectedError)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"error":{}}', b'{"error":{"code":true}}', b"nonsense", b'"x"'])
def test_what_is_no_envelope_says_nothing(body: bytes) -> None:
    assert read_error(body) is None


def test_errors_of_other_shapes_are_read() -> None:
    assert read_error(b'{"error":"no"}') == Told(message="no")
    assert read_error(b'{"message":"no","code":7}') == Told(message="no", code="7")


@given(
    status=st.integers(300, 599).filter(lambda status: status != 304),
    body=st.binary() | st.sampled_from([envelope(), envelope("x", param="model"), HTML]),
    retry=st.sampled_from(["", "true", "false"]),
)
def test_whatever_comes_has_an_error(status: int, body: bytes, retry: str) -> None:
    assert error_for(status, body, x_should_retry=retry).message
