"""Whatever a caller sends, it is answered, and never as a fault of ours."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.use_cases import KEY, FakeDoors
from tests.unit.adapters.openai_api.conftest import application

APP = application(FakeDoors().doors())

NAMES = st.sampled_from(
    [
        "model", "prompt", "messages", "n", "size", "seconds", "quality", "stream", "image", "images", "image_url", "url",
        "input_reference", "role", "content", "type", "text", "video", "id", "strict", "extra_body", "response_format",
        "output_format", "output_compression", "stream_options", "file_id", "generationConfig", "media", "b64_json",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    ["gpt-image-1", "sora-2", "user", "assistant", "text", "image_url", "auto", "1024x1024", "8", "true", "url", "png"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=6),
    max_leaves=25,
)
BODIES = st.dictionaries(NAMES, JSON, max_size=8).map(lambda body: {"model": "gpt-image-1", "prompt": "x"} | body)


async def status_of(path: str, body: bytes, content_type: bytes) -> tuple[int, bytes]:
    messages: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1), "extensions": {},
        "headers": [(b"host", b"gw"), (b"authorization", f"Bearer {KEY}".encode()), (b"content-type", content_type)],
    }  # fmt: skip
    await APP(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


PATHS = ["/v1/images/generations", "/v1/images/edits", "/v1/chat/completions", "/v1/videos", "/v1/videos/extensions"]


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=60, deadline=None)
@given(body=BODIES)
async def test_any_json_object_is_answered(path: str, body: dict[str, Any]) -> None:
    status, answer = await status_of(path, json.dumps(body).encode(), b"application/json")
    assert status < 500, answer
    if status >= 400:
        assert set(json.loads(answer)["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", [b"application/json", b"multipart/form-data; boundary=x", b"text/plain"])
@settings(max_examples=25, deadline=None)
@given(body=st.binary(max_size=200))
async def test_any_bytes_are_answered(path: str, content_type: bytes, body: bytes) -> None:
    status, answer = await status_of(path, body, content_type)
    assert 400 <= status < 500, answer
