"""A process that stood still while another took its work over does no harm when it wakes."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import OPTIONS
from tests.e2e.processes import Gateway, Process, Simulator, free_port
from tests.security.wire import Wire

ACCOUNTS = [{"email": "one@example.com", "tier": "PAYGATE_TIER_TWO", "credits": 100_000}]
WITHIN_S = 40.0


def second_process(first: Gateway, folder: Path) -> tuple[Process, Wire]:
    port = free_port()
    other = Process(first.command, folder / "second.log", {**first.environment, "FLOW2API_PORT": str(port)})
    other.start()
    assert other.child is not None
    return other, Wire(port, first.key, other.child.pid)


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_ready(wire: Wire) -> bool:
    try:
        return wire.ask("GET", "/readyz", key=None).status == 200
    except OSError:
        return False


def status(wire: Wire, video: dict[str, Any]) -> str:
    return str(wire.ask("GET", f"/v1/videos/{video['id']}").json["status"])


async def polled(control: SimulatorControl) -> set[str]:
    """The videos that were asked for: whoever asks for one has written down that it has begun."""
    return {one["name"] for request in await control.requests(call="poll_videos") for one in request.body["media"]}


async def test_paused_process_finds_its_video_done_and_submits_nothing_again(tmp_path: Path) -> None:
    options = {**OPTIONS, "media": "small", "video_s": 60.0, "era": "2026-06"}
    with Simulator(tmp_path, options, ACCOUNTS) as simulator, Gateway(tmp_path, simulator) as first:
        assert first.child is not None
        control = SimulatorControl(simulator.ready["base_url"])
        zombie = Wire(first.port, first.key, first.child.pid)
        other, heir = second_process(first, tmp_path)
        try:
            wait_for(lambda: is_ready(heir))
            videos = [zombie.ask("POST", "/v1/videos", {"prompt": f"wave {n}", "seconds": "4"}).json for n in range(2)]
            async with asyncio.timeout(WITHIN_S):
                while len(await polled(control)) < len(videos):
                    await asyncio.sleep(0.05)
            os.kill(first.child.pid, signal.SIGSTOP)
            await control.advance(60)
            wait_for(lambda: all(status(heir, video) == "completed" for video in videos))
            os.kill(first.child.pid, signal.SIGCONT)
            time.sleep(1.0)
            for wire in (zombie, heir):
                assert [status(wire, video) for video in videos] == ["completed", "completed"]
                assert wire.ask("GET", f"/v1/videos/{videos[0]['id']}/content").status == 200
            assert (await control.counters()).submits == len(videos)
        finally:
            os.kill(first.child.pid, signal.SIGCONT)
            other.stop()
            await control.aclose()
