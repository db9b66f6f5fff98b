"""Waiting for a video as clients do."""

import json
from typing import Any

import pytest

from flow2api.adapters.console.checks.own_server import ServerAnswer
from flow2api.adapters.console.checks.video_watch import VideoWatch, watched
from flow2api.testing.fakes.clock import FakeClock

BASE = "http://127.0.0.1"
MP4 = b"\x00\x00\x00\x18ftypmp42"


def video(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "video_1", "status": status, "progress": 0, "error": None, **more}


class Host:
    """An application that tells one state of a video after another, and has its bytes."""

    def __init__(
        self, *states: dict[str, Any], content: bytes = MP4, kind: str = "video/mp4", wait_ms: str = ""
    ) -> None:
        self._states, self._content, self._kind, self._wait_ms = list(states), content, kind, wait_ms
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        is_state = scope["path"] == "/v1/videos/video_1"
        body = json.dumps(self._states.pop(0)).encode() if is_state else self._content
        headers = [(b"content-type", b"application/json" if is_state else self._kind.encode())]
        headers += [(b"openai-poll-after-ms", self._wait_ms.encode())] if self._wait_ms else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def told(host: Host, clock: FakeClock, begun: dict[str, Any] | None = None, **watch: Any) -> str:
    answer = ServerAnswer(200, {}, json.dumps(begun or video("queued")).encode())
    app: Any = host
    return await watched(app, BASE, "key", VideoWatch(agent="tests", **watch), answer, clock)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_state_is_asked_for_as_often_as_the_server_says_until_the_content_is_there(clock: FakeClock) -> None:
    host = Host(video("in_progress"), video("completed", progress=100), wait_ms="4000")

    assert await told(host, clock) == ""

    assert host.asked == ["/v1/videos/video_1", "/v1/videos/video_1", "/v1/videos/video_1/content"]
    assert clock.slept == [1.0, 4.0]


async def test_client_with_its_own_pace_keeps_it(clock: FakeClock) -> None:
    host = Host(video("completed"), wait_ms="1")
    assert await told(host, clock, every_s=10.0) == ""
    assert clock.slept == [10.0]


async def test_client_may_take_the_link(clock: FakeClock) -> None:
    host = Host()
    assert await told(host, clock, video("completed", url=f"{BASE}/media/m1?sig=x"), takes_link=True) == ""
    assert host.asked == ["/media/m1"]


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ([video("running")], "a status that clients know"),
        ([video("in_progress", progress="3")], "no whole number"),
        ([video("in_progress", error={"message": "x"})], "an error though it has not failed"),
        ([video("failed", error={"message": "too <b>dark</b>"})], "The video failed: too <b>dark</b>"),
        ([{"id": 3}], "lacks its id"),
    ],
)
async def test_what_a_client_would_stumble_over_is_told(
    states: list[dict[str, Any]], reason: str, clock: FakeClock
) -> None:
    assert reason in await told(Host(*states), clock)


@pytest.mark.parametrize("link", ["", "https://elsewhere.example/media/m1"])
async def test_link_that_is_missing_or_leads_elsewhere_is_told(link: str, clock: FakeClock) -> None:
    assert "lacks its url" in await told(Host(), clock, video("completed", url=link), takes_link=True)


@pytest.mark.parametrize("wrong", [{"content": b"<html>"}, {"kind": "text/html"}])
async def test_content_that_is_no_video_is_told(wrong: dict[str, Any], clock: FakeClock) -> None:
    assert "not served as one" in await told(Host(**wrong), clock, video("completed"))
