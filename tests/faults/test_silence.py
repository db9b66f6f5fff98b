"""While the upstream takes its time, a stream says that it lives and a video says when to ask again."""

import asyncio
import json

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.security.wire import Wire

SILENT_S = 13.0


def streamed(wire: Wire, path: str, body: dict[str, object]) -> str:
    answer = wire.ask("POST", path, {**body, "stream": True}, timeout_s=60)
    assert answer.status == 200, answer.body
    return answer.body.decode()


@pytest.mark.slow
async def test_silent_stream_sends_comments_and_then_the_picture(wire: Wire, control: SimulatorControl) -> None:
    await control.add_fault("latency", call="generate_images", times=2, latency_s=SILENT_S)
    asked = {"role": "user", "content": "slow"}
    picture, chat = await asyncio.gather(
        asyncio.to_thread(streamed, wire, "/v1/images/generations", {"prompt": "slow"}),
        asyncio.to_thread(streamed, wire, "/v1/chat/completions", {"model": "gpt-image-1", "messages": [asked]}),
    )
    for text in (picture, chat):
        comments = [frame for frame in text.split("\n\n") if frame.startswith(":")]
        assert len(comments) == 1, text[:2000]
        assert all("\n" not in comment for comment in comments)
    assert "event: image_generation.completed" in picture
    assert chat.rstrip().endswith("data: [DONE]")


async def test_video_says_when_it_is_worth_asking_again(wire: Wire, control: SimulatorControl) -> None:
    await control.configure(video_s=60.0)
    video = wire.ask("POST", "/v1/videos", {"prompt": "slow"}).json["id"]
    running = wire.ask("GET", f"/v1/videos/{video}")
    assert running.json["status"] in ("queued", "in_progress")
    assert 1000 <= int(running.headers["openai-poll-after-ms"]) <= 30_000
    await control.configure(video_s=0.1)
    await control.advance(60)
    async with asyncio.timeout(40):
        while json.loads((ended := wire.ask("GET", f"/v1/videos/{video}")).body)["status"] != "completed":
            await asyncio.sleep(0.1)
    assert "openai-poll-after-ms" not in ended.headers
