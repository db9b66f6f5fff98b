"""What was paid for is fetched again when something else comes in its place."""

import asyncio
import time
from typing import Any

import pytest

from flow2api.simulator.control_schema import FaultKind
from flow2api.testing.simulator import SimulatorControl
from tests.security.wire import Wire

ENDS_WITHIN_S = 40.0


def ended(wire: Wire) -> Any:
    """A video that was asked for and has ended."""
    video = wire.ask("POST", "/v1/videos", {"model": "sora-2", "prompt": "waves", "seconds": "8"}).json
    deadline = time.monotonic() + ENDS_WITHIN_S
    while video["status"] not in ("completed", "failed"):
        assert time.monotonic() < deadline, video
        time.sleep(0.05)
        video = wire.ask("GET", f"/v1/videos/{video['id']}").json
    return video


# All at once, as each waits for its second try: a page, garbage, nothing, and half of a video.
async def test_video_outlives_bad_downloads(wire: Wire, control: SimulatorControl) -> None:
    before = await submits(control)
    for kind in ("html", "malformed", "empty_body", "truncate"):
        await control.add_fault(kind, call="download_video", status=200)

    videos = await asyncio.gather(*(asyncio.to_thread(ended, wire) for _ in range(4)))

    assert [(video["status"], video["error"]) for video in videos] == [("completed", None)] * 4
    assert await submits(control) == before + 4
    assert [fault.hits for fault in await control.faults()] == [1, 1, 1, 1]
    for video in videos:
        content = wire.ask("GET", f"/v1/videos/{video['id']}/content")
        assert (content.status, content.body[4:8]) == (200, b"ftyp")


@pytest.mark.parametrize("kind", ["html", "empty_body"])
async def test_picture_outlives_a_bad_download(wire: Wire, control: SimulatorControl, kind: FaultKind) -> None:
    before = (await control.counters()).calls.get("generate_images", 0)
    await control.add_fault(kind, call="download_image", status=200)

    assert wire.ask("POST", "/v1/images/generations", {"prompt": f"a hill after {kind}"}).status == 200
    assert [fault.hits for fault in await control.faults()] == [1]
    assert (await control.counters()).calls["generate_images"] == before + 1


async def submits(control: SimulatorControl) -> int:
    calls = (await control.counters()).calls
    return sum(count for name, count in calls.items() if name.startswith("submit_"))
