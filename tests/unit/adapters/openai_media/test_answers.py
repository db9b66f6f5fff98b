import base64
import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.openai_media import answers
from flow2api.adapters.openai_media.answers import check_models, video
from flow2api.domain.errors import (
    ContentBlockedError,
    Flow2ApiError,
    UpstreamInvalidError,
    UpstreamRateLimitedError,
    UpstreamRejectedError,
)
from flow2api.domain.generation import OperationStatus, Product

BYTES = b"\x89PNG\r\n\x1a\n picture"
TEXT = base64.b64encode(BYTES).decode()


def pictures(body: bytes, most: int = 10) -> list[Product]:
    return answers.pictures(body, most)


def json(**body: Any) -> bytes:
    return msgspec.json.encode(body)


def test_pictures_come_with_bytes_or_with_an_address() -> None:
    made = pictures(
        json(
            created=1,
            data=[{"b64_json": TEXT}, {"url": "https://x.example/1"}, {"url": f"data:image/png;base64,{TEXT}"}],
        )
    )

    assert made == [Product("", data=BYTES), Product("", url="https://x.example/1"), Product("", data=BYTES)]


def test_more_pictures_than_were_asked_for_are_left_out() -> None:
    body = json(data=[{"b64_json": TEXT}, {"b64_json": TEXT}, {"b64_json": "%%"}])

    assert pictures(body, most=2) == [Product("", data=BYTES)] * 2


def test_data_url_in_the_place_of_bytes_is_read() -> None:
    assert pictures(json(data=[{"b64_json": f"data:image/png;base64,{TEXT}"}])) == [Product("", data=BYTES)]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", json(data=[]), json(data=None), json(data="x"), json(data=[{}]), json(data=[{"b64_json": "%%"}]),
        json(data=[{"b64_json": "data:image/png;base64,"}]), json(created=1), json(data=[{"b64_json": TEXT[:-3]}]),
    ],
)  # fmt: skip
def test_answer_without_a_picture_cannot_be_used(body: bytes) -> None:
    with pytest.raises(UpstreamInvalidError):
        pictures(body)


def test_refusal_in_a_success_is_a_refusal() -> None:
    with pytest.raises(ContentBlockedError):
        pictures(json(error={"code": "moderation_blocked", "message": "No."}))
    with pytest.raises(UpstreamRateLimitedError):
        video(json(error={"type": "insufficient_quota", "message": "No."}))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("queued", OperationStatus()),
        ("in_progress", OperationStatus()),
        ("dreaming", OperationStatus()),
        ("completed", OperationStatus(product=Product("v1"))),
        ("SUCCESS", OperationStatus(product=Product("v1"))),
    ],
)
def test_video_stands_as_its_word_says(status: str, expected: OperationStatus) -> None:
    assert video(json(id="v1", status=status, error=None)).standing() == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": "moderation_blocked", "message": "No."}, ContentBlockedError),
        ({"code": "server_error", "message": "Oh."}, UpstreamRejectedError),
        (None, UpstreamRejectedError),
        ("text", UpstreamRejectedError),
    ],
)
def test_video_that_failed_says_why(error: object, expected: type[Exception]) -> None:
    assert isinstance(video(json(id="v1", status="failed", error=error)).standing().error, expected)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", json(id="v1"), json(status="queued"), json(id=7, status="queued")])
def test_video_without_id_or_status_cannot_be_used(body: bytes) -> None:
    with pytest.raises(UpstreamInvalidError):
        video(body)


def test_list_of_models_is_recognised() -> None:
    check_models(json(object="list", data=[]))
    for body in (b"", b"<html>", b"{}", json(data={})):
        with pytest.raises(UpstreamInvalidError):
            check_models(body)


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["data", "error", "id", "status", "url", "b64_json", "code"]), inner)).map(msgspec.json.encode))  # fmt: skip
def test_garbage_is_an_error_of_the_tree(body: bytes) -> None:
    for read in (pictures, video, check_models):
        with contextlib.suppress(Flow2ApiError):
            read(body)
