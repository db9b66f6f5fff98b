from typing import Any

import pytest
from litestar.exceptions import ValidationException

from flow2api.adapters.admin_api.errors import error_response, status_of
from flow2api.domain import errors as tree
from flow2api.domain.errors import Flow2ApiError

RESPOND = error_response(lambda scope: "req_1")


class Asked:
    def __init__(self) -> None:
        self.scope: dict[str, Any] = {"path": "/api/tokens"}


def told(error: Exception) -> tuple[int, dict[str, str], dict[str, str]]:
    answer = RESPOND(Asked(), error)  # type: ignore[arg-type]
    body = {"detail": answer.content.detail, "code": answer.content.code, "request_id": answer.content.request_id}
    assert answer.status_code is not None
    return answer.status_code, body, answer.headers


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (tree.UnsupportedInputError("No."), 400),
        (tree.CredentialRevokedError("No."), 400),
        (tree.SignInRefusedError(), 401),
        (tree.NotSignedInError(presented=True), 401),
        (tree.ConnectionTokenError(), 401),
        (tree.NotAllowedError("No."), 403),
        (tree.AccountNotFoundError(7), 404),
        (tree.RecordNotFoundError(7), 404),
        (tree.ConflictError("No."), 409),
        (tree.NotKnownError("No."), 404),
        (tree.ChangedMeanwhileError(["name"]), 409),
        (tree.OptionLockedError("No."), 409),
        (tree.TooManyTriesError(5), 429),
        (tree.UpstreamRateLimitedError("No."), 429),
        (tree.StorageError("No."), 500),
        (tree.UpstreamInvalidError("No."), 502),
        (tree.StorageBusyError("No."), 503),
        (tree.SetupRequiredError(), 503),
        (tree.UpstreamTimeoutError("No."), 504),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_error_has_its_status_its_sentence_and_its_code(error: Flow2ApiError, status: int) -> None:
    assert status_of(error) == status
    assert told(error)[:2] == (status, {"detail": error.message, "code": error.code, "request_id": "req_1"})


def test_unexpected_error_shows_nothing_of_itself() -> None:
    status, body, _ = told(KeyError("hunter2"))

    assert (status, body["code"]) == (500, "internal_error")
    assert "hunter2" not in str(body)


def test_who_is_not_signed_in_is_told_how_and_who_tries_too_often_when() -> None:
    assert told(tree.NotSignedInError(presented=False))[2]["www-authenticate"] == "Bearer"
    assert told(tree.TooManyTriesError(0.2))[2]["retry-after"] == "1"
    assert told(tree.UpstreamRateLimitedError("No.", retry_after_s=61.5))[2]["retry-after"] == "62"


def test_body_that_is_no_text_is_the_callers_fault() -> None:
    assert told(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"))[0] == 400


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"key": "data", "message": "'data'"}, "It has no body"),
        ({"key": "data", "message": "Object contains unknown field `x`"}, "here. Object contains unknown field `x`."),
        ({"key": "limit", "message": "Expected `int`"}, "limit: Expected `int`."),
    ],
)
def test_refusal_says_what_is_wrong_in_the_callers_words(fault: dict[str, str], sentence: str) -> None:
    status, body, _ = told(ValidationException(extra=[fault]))

    assert status == 400
    assert sentence in body["detail"]
