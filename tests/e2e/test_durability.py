"""A killed server finishes what it began, and spends nothing twice."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway, Simulator

ACCOUNTS = [{"email": "one@example.com", "tier": "PAYGATE_TIER_ONE", "credits": 10_000}]
ENDS_WITHIN_S = 30.0


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    options = {"video_s": 1.0, "video_scale": 0.1, "era": "2026-06"}
    with Simulator(tmp_path, options, ACCOUNTS) as running:
        yield running


@pytest.fixture
def gateway(simulator: Simulator, tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path, simulator, environment={"FLOW2API_LEASE_S": "1"}) as running:
        yield running


def send(gateway: Gateway, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        gateway.url + path,
        None if body is None else json.dumps(body).encode(),
        {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def ended(gateway: Gateway, video_id: str) -> Any:
    deadline = time.monotonic() + ENDS_WITHIN_S
    while True:
        video = send(gateway, f"/v1/videos/{video_id}")
        if video["status"] in ("completed", "failed"):
            return video
        assert time.monotonic() < deadline, video
        time.sleep(0.1)


def restart(gateway: Gateway) -> None:
    gateway.start()
    gateway.wait_until_ready()


async def until(control: SimulatorControl, call: str, count: int = 1) -> None:
    deadline = time.monotonic() + 15
    while len(await control.requests(call=call)) < count:
        assert time.monotonic() < deadline, f"no {call} came"
        time.sleep(0.02)


async def test_killed_while_polling_completes_with_one_submit(gateway: Gateway, simulator: Simulator) -> None:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        video = send(gateway, "/v1/videos", {"model": "sora-2", "prompt": "go on", "seconds": "8"})
        await until(control, "poll_videos")
        gateway.kill()
        restart(gateway)
        assert ended(gateway, video["id"])["status"] == "completed"
        assert (await control.counters()).submits == 1


async def test_killed_while_submitting_fails_honestly_and_is_not_sent_again(
    gateway: Gateway, simulator: Simulator
) -> None:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        await control.add_fault("latency", call="submit_*", latency_s=3.0)
        video = send(gateway, "/v1/videos", {"model": "sora-2", "prompt": "lost", "seconds": "8"})
        time.sleep(1.0)
        gateway.kill()
        restart(gateway)
        failed = ended(gateway, video["id"])
        assert failed["status"] == "failed"
        assert failed["error"]["code"] == "upstream_state_unknown"
        time.sleep(3.0)
        assert (await control.counters()).submits <= 1


async def test_killed_before_submitting_starts_over(gateway: Gateway, simulator: Simulator) -> None:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        await control.add_fault("latency", call="upload_image", latency_s=3.0)
        picture = _picture()
        video = send(
            gateway,
            "/v1/videos",
            {"model": "sora-2", "prompt": "from a frame", "seconds": "8", "input_reference": {"image_url": picture}},
        )
        time.sleep(1.0)
        gateway.kill()
        restart(gateway)
        assert ended(gateway, video["id"])["status"] == "completed"
        assert (await control.counters()).submits == 1


async def test_killed_while_downloading_completes(gateway: Gateway, simulator: Simulator) -> None:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        await control.add_fault("latency", call="download_video", latency_s=4.0)
        video = send(gateway, "/v1/videos", {"model": "sora-2", "prompt": "stored once", "seconds": "8"})
        await until(control, "media_redirect")
        time.sleep(0.3)
        gateway.kill()
        restart(gateway)
        assert ended(gateway, video["id"])["status"] == "completed"
        assert (await control.counters()).submits == 1


async def test_stopped_in_order_hands_its_videos_over(gateway: Gateway, simulator: Simulator) -> None:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        video = send(gateway, "/v1/videos", {"model": "sora-2", "prompt": "later", "seconds": "8"})
        await until(control, "poll_videos")
        assert gateway.stop() == 0
        restart(gateway)
        assert ended(gateway, video["id"])["status"] == "completed"
        assert (await control.counters()).submits == 1


async def test_row_of_every_generation_stays(gateway: Gateway) -> None:
    done = send(gateway, "/v1/videos", {"model": "sora-2", "prompt": "row", "seconds": "8"})
    ended(gateway, done["id"])
    gateway.kill()
    restart(gateway)
    assert send(gateway, f"/v1/videos/{done['id']}")["status"] == "completed"


def _picture() -> str:
    import base64

    from tests.e2e.test_pictures import png

    return "data:image/png;base64," + base64.b64encode(png()).decode()
