"""What clients stumble over, one fault at a time."""

import base64
import json
from typing import Any

import pytest

from flow2api.adapters.console.checks import expectations as of
from flow2api.adapters.console.checks.client_check import grey_picture
from flow2api.adapters.console.checks.own_server import ServerAnswer
from flow2api.domain.media import PictureFacts
from flow2api.domain.picture_size import picture_facts

PICTURE = base64.b64encode(grey_picture()).decode()
MARKDOWN = "![picture](http://h/media/m)"
IMAGES = [{"type": "image_url", "image_url": {"url": "http://h/media/m"}}]


def answer(body: object, status: int = 200, content_type: str = "application/json") -> ServerAnswer:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ServerAnswer(status, {"content-type": content_type}, encoded)


def stream(*pieces: object, done: str = "[DONE]") -> ServerAnswer:
    lines = [f"data: {json.dumps(one)}" for one in pieces] + [f"data: {done}"]
    return answer(b": beat\n\n" + "\n\n".join(lines).encode(), content_type="text/event-stream")


def piece(reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "finish_reason": reason}]}


def test_grey_picture_is_one() -> None:
    assert picture_facts(grey_picture()) == PictureFacts("image/png", 64, 64)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (answer({"data": [{"b64_json": PICTURE}]}), ""),
        (answer({"data": []}), "no result"),
        (answer({"data": [{"b64_json": PICTURE}, {"url": "http://h/m"}]}), "lacks b64_json"),
        (answer({"data": [{"b64_json": "???"}]}), "lacks b64_json"),
        (answer({"data": [{"b64_json": base64.b64encode(b"text, no picture").decode()}]}), "lacks b64_json"),
        (
            answer({"error": {"code": "no_account_available", "message": "Nobody."}}, 503),
            "503 no_account_available: Nobody.",
        ),
        (answer(b"<html>", 502), "502"),
        (answer([], 200), "no result"),
    ],
)
def test_picture_has_to_be_in_the_answer(given: ServerAnswer, told: str) -> None:
    assert_told(of.has_picture(given), told)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([{"id": "m", "supported_endpoint_types": ["image-generation"]}], ""),
        ([{"id": "other"}], "lacks m"),
        ([{"id": "m", "supported_endpoint_types": ["openai-video"]}], "does not say"),
    ],
)
def test_list_has_to_have_the_model(entries: object, told: str) -> None:
    assert_told(of.lists_model("m", as_pictures=True)(answer({"data": entries})), told)


@pytest.mark.parametrize(
    ("url", "told"),
    [("http://h/media/m?sig=1", ""), ("", "lacks its url"), ("/media/m", "lead to"), ("http://0.0.0.0/m", "0.0.0.0")],
)
def test_links_have_to_lead_to_where_the_client_reaches_the_server(url: str, told: str) -> None:
    assert_told(of.has_link("http://h")(answer({"data": [{"url": url}]})), told)


def test_links_are_opened_by_path_and_query() -> None:
    assert of.links_of(answer({"data": [{"url": "http://h/media/m?sig=1"}, {}]})) == ["/media/m?sig=1"]
    assert of.is_image(answer(grey_picture(), content_type="image/png")) == ""
    assert "answers 404" in of.is_image(answer(b"", 404))
    assert "not served as one" in of.is_image(answer(b"<html><body></body>", content_type="text/html"))


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"content": MARKDOWN, "images": IMAGES}, ""),
        ({"content": MARKDOWN}, "lacks message.images"),
        ({"content": "here", "images": IMAGES}, "as Markdown"),
    ],
)
def test_chat_answer_has_its_picture_twice(message: object, told: str) -> None:
    assert_told(of.has_chat_picture(answer({"choices": [{"message": message}]})), told)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (stream(piece(role="assistant"), piece(content=MARKDOWN, images=IMAGES), piece("stop")), ""),
        (stream(piece(content=MARKDOWN, images=IMAGES), piece("stop"), done="{}"), "does not end"),
        (stream(piece(content=MARKDOWN), piece("stop")), "delta.images"),
        (stream(piece(content=MARKDOWN, images=IMAGES)), "finish_reason"),
        (stream(piece(role="assistant"), {"error": {"message": "Too many."}}), "Too many."),
        (answer({"error": {"code": "x", "message": "No."}}, 400), "400 x: No."),
    ],
)
def test_chat_stream_has_a_picture_and_an_end(given: ServerAnswer, told: str) -> None:
    assert_told(of.streams_chat_picture(given), told)


def test_video_request_is_refused_for_its_prompt_alone() -> None:
    assert of.refuses_prompt(answer({"error": {"param": "prompt", "message": "Empty."}}, 400)) == ""
    assert "seconds" in of.refuses_prompt(answer({"error": {"param": "seconds", "message": "Bad seconds."}}, 400))
    assert "not refused" in of.refuses_prompt(answer({"id": "video_1"}))


def test_what_there_is_not_is_told_with_an_error_object() -> None:
    error = {"message": "None.", "type": "invalid_request_error", "code": "not_found"}
    assert of.is_not_found(answer({"error": error}, 404)) == ""
    assert "answers 404" in of.is_not_found(answer(b"<html>", 404))


def assert_told(reason: str, told: str) -> None:
    if told:
        assert told in reason
    else:
        assert reason == ""
