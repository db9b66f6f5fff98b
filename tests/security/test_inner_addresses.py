"""No door leads inside: a canary on the loopback hears nothing, whatever field its address stands in."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.security.wire import Wire

CHAT = {"model": "gemini-3.0-pro-image"}


class Canary:
    """Listens, and tells whether anybody has come."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])

    def was_called(self) -> bool:
        try:
            self._listener.accept()[0].close()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    listening = Canary()
    yield listening
    listening.close()


def user(address: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": "bluer"}, {"type": "image_url", "image_url": {"url": address}}]
    return {**CHAT, "messages": [{"role": "user", "content": parts}]}


def assistant(message: dict[str, Any]) -> dict[str, Any]:
    return {**CHAT, "messages": [{"role": "assistant", **message}, {"role": "user", "content": "a mug"}]}


REFUSED: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "image": ("/v1/images/edits", lambda a: {"prompt": "x", "image": a}),
    "images": ("/v1/images/edits", lambda a: {"prompt": "x", "images": [{"image_url": a}]}),
    "image_url": ("/v1/images/generations", lambda a: {"prompt": "x", "image_url": a}),
    "input_reference": ("/v1/videos", lambda a: {"prompt": "x", "input_reference": {"image_url": a}}),
    "input_reference as text": ("/v1/videos", lambda a: {"prompt": "x", "input_reference": a}),
    "chat": ("/v1/chat/completions", user),
}
NEVER_FETCHED: dict[str, Callable[[str], dict[str, Any]]] = {
    "text": lambda a: assistant({"content": f"![image]({a}/media/media_{'a' * 32})"}),
    "images": lambda a: assistant({"content": "x", "images": [{"image_url": {"url": f"{a}/x.png"}}]}),
    "parts": lambda a: assistant({"content": [{"type": "image_url", "image_url": a}]}),
    "media": lambda a: assistant({"content": "x", "media": [{"media_id": a}]}),
    "prompt": lambda a: {**CHAT, "messages": [{"role": "user", "content": f"draw {a}/a.png"}]},
}


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "HTTPS"])
@pytest.mark.parametrize("door", REFUSED)
def test_an_inner_address_is_refused_at_every_door(wire: Wire, canary: Canary, door: str, scheme: str) -> None:
    path, body = REFUSED[door]
    answer = wire.ask("POST", path, body(f"{scheme}://127.0.0.1:{canary.port}/a.png"))
    assert answer.status == 400
    assert answer.code == "invalid_image_url"
    assert not canary.was_called()


@pytest.mark.parametrize("place", NEVER_FETCHED)
def test_an_address_in_a_text_or_an_answer_is_never_fetched(wire: Wire, canary: Canary, place: str) -> None:
    answer = wire.ask("POST", "/v1/chat/completions", NEVER_FETCHED[place](f"http://127.0.0.1:{canary.port}"))
    assert answer.status == 200
    assert not canary.was_called()
