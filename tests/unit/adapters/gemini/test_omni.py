import base64
from typing import Any

import msgspec
import pytest

from flow2api.adapters.gemini import omni
from flow2api.domain.errors import ContentBlockedError, UpstreamInvalidError, UpstreamRejectedError
from flow2api.domain.generation import OperationStatus


def told(status: str, *content: dict[str, Any], **fields: Any) -> bytes:
    steps = [
        {"type": "user_input", "content": [{"type": "text", "text": "a cat"}, {"type": "video", "uri": "files/input"}]},
        {"type": "thought", "signature": "x"},
        {"type": "model_output", "content": content},
    ]
    return msgspec.json.encode({"id": "v1_abc", "status": status, "steps": steps, **fields})


def test_id_is_kept_only_if_it_can_be_asked_for() -> None:
    assert omni.begun(told("in_progress")) == "v1_abc"
    with pytest.raises(UpstreamInvalidError):
        omni.begun(msgspec.json.encode({"id": "../x", "status": "queued"}))


def test_interaction_that_failed_at_once_raises_why() -> None:
    with pytest.raises(ContentBlockedError):
        omni.begun(told("failed", error={"code": "content_blocked", "message": "No."}))


@pytest.mark.parametrize("status", ["in_progress", "queued", "", "requires_continuation", "something_new"])
def test_interaction_runs_until_it_is_completed(status: str) -> None:
    assert omni.standing(told(status)) == OperationStatus()


def test_video_is_that_of_the_models_output_and_not_of_the_input() -> None:
    product = omni.standing(told("completed", {"type": "video", "uri": "https://host/v1/files/out1"})).product

    assert product is not None
    assert product.name == "files/out1"


def test_video_may_come_along() -> None:
    data = base64.b64encode(b"video").decode()
    product = omni.standing(told("completed", {"type": "video", "data": data, "mime_type": "video/mp4"})).product

    assert product is not None
    assert (product.name, product.data) == ("v1_abc", b"video")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"error": {"code": "safety_blocked", "message": ""}}, ContentBlockedError),
        ({"errors": [{"code": 13, "message": "Internal."}]}, UpstreamRejectedError),
        ({}, UpstreamRejectedError),
    ],
)
@pytest.mark.parametrize("status", sorted(omni.ENDED_BADLY))
def test_end_without_a_video_says_why(status: str, fields: dict[str, Any], expected: type[Exception]) -> None:
    assert isinstance(omni.standing(told(status, **fields)).error, expected)


def test_completion_in_words_alone_is_a_failure() -> None:
    error = omni.standing(told("completed", {"type": "text", "text": "I can't make that."})).error

    assert isinstance(error, UpstreamRejectedError)
    assert "I can't make that." in str(error)
