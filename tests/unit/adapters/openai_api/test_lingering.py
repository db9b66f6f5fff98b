"""A refusal in the middle of a body is sent whole first; then a little is let in and dropped."""

import asyncio
from typing import Any

import pytest

from flow2api.adapters.openai_api import lingering
from flow2api.adapters.openai_api.lingering import LingeringResponse

CHUNK = {"type": "http.request", "body": b"x" * 1000, "more_body": True}
LAST = {"type": "http.request", "body": b"x", "more_body": False}
GONE = {"type": "http.disconnect"}


class Client:
    """Sends what it is told to, then nothing more."""

    def __init__(self, *messages: Any) -> None:
        self.waiting = list(messages)
        self.got: list[Any] = []

    async def receive(self) -> Any:
        if not self.waiting:
            await asyncio.Event().wait()
        assert self.got[-1]["more_body"], "the answer goes out before more is let in"
        return self.waiting.pop(0)

    async def send(self, message: Any) -> None:
        self.got.append(message)


async def refuse(client: Client) -> None:
    answer = LingeringResponse(b'{"error": 1}', status_code=413).to_asgi_response(app=None, request=None)
    await answer({"type": "http", "method": "POST", "headers": []}, client.receive, client.send)  # type: ignore[arg-type]


@pytest.mark.parametrize("messages", [(LAST,), (CHUNK, CHUNK, LAST), (CHUNK, GONE), (GONE,)])
async def test_answer_is_whole_and_the_rest_is_dropped(messages: tuple[Any, ...]) -> None:
    client = Client(*messages)
    await refuse(client)
    start, body, end = client.got
    assert start["status"] == 413
    assert (b"connection", b"close") in list(start["headers"])
    assert b'{"error": 1}' in body["body"]
    assert end == {"type": "http.response.body", "body": b"", "more_body": False}
    assert client.waiting == []


async def test_client_that_neither_sends_nor_goes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_S", 0.01)
    client = Client(CHUNK)
    await asyncio.wait_for(refuse(client), 20)
    assert client.got[-1]["more_body"] is False


async def test_client_that_sends_for_ever_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_S", 0.01)
    client = Client()

    async def receive() -> Any:
        await asyncio.sleep(0)
        return CHUNK

    client.receive = receive  # type: ignore[method-assign]
    await asyncio.wait_for(refuse(client), 20)
    assert client.got[-1]["more_body"] is False
