"""A killed server finishes what it began, and spends nothing twice.

All of it happens to one server, one kill after the other; each test counts from where it began.
"""

import asyncio
import base64
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_pictures import png

ACCOUNTS = [{"email": "one@example.com", "tier": "PAYGATE_TIER_TWO", "credits": 100_000}]
OPTIONS = {"video_s": 0.6, "video_upscale_s": 0.6, "video_scale": 0.1, "era": "2026-06"}
WITHIN_S = 30.0
HELD_S = 60.0
"""How long a call is held at most; it goes on when the faults are removed."""
PICTURE = "data:image/png;base64," + base64.b64encode(png()).decode()
CLIP = {"model": "sora-2", "seconds": "8"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), OPTIONS, ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    with Gateway(folder, simulator, environment={"FLOW2API_LEASE_S": "1"}, video_slots=1) as running:
        yield running


@pytest.fixture
async def calls(simulator: Simulator) -> AsyncIterator["Calls"]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        await control.configure(**OPTIONS)
        calls = Calls(control)
        await calls.begin()
        yield calls
        await control.clear_faults()


class Calls:
    """What the upstream was asked for since the test began."""

    def __init__(self, control: SimulatorControl) -> None:
        self.control = control
        self._before: dict[str, int] = {}
        self._submits = 0

    async def begin(self) -> None:
        counters = await self.control.counters()
        self._before, self._submits = dict(counters.calls), counters.submits

    async def submits(self) -> int:
        """How many submits took effect."""
        return (await self.control.counters()).submits - self._submits

    async def arrived(self, call: str) -> int:
        """How many calls came, answered or not."""
        return (await self.control.counters()).calls.get(call, 0) - self._before.get(call, 0)

    async def until(self, call: str, count: int = 1) -> None:
        deadline = time.monotonic() + WITHIN_S
        while await self.arrived(call) < count:
            assert time.monotonic() < deadline, f"no {call} came"
            time.sleep(0.02)


def send(gateway: Gateway, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        gateway.url + path,
        None if body is None else json.dumps(body).encode(),
        {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def begun(gateway: Gateway, prompt: str, **fields: Any) -> str:
    """The id of a video that was just asked for."""
    return str(send(gateway, "/v1/videos", {**CLIP, "prompt": prompt, **fields})["id"])


def ended(gateway: Gateway, video_id: str) -> Any:
    deadline = time.monotonic() + WITHIN_S
    while True:
        video = send(gateway, f"/v1/videos/{video_id}")
        if video["status"] in ("completed", "failed"):
            return video
        assert time.monotonic() < deadline, video
        time.sleep(0.1)


def restart(gateway: Gateway) -> None:
    gateway.start()
    gateway.wait_until_ready()


def kill_and_restart(gateway: Gateway) -> None:
    gateway.kill()
    restart(gateway)


async def test_killed_while_polling_completes_with_one_submit(gateway: Gateway, calls: Calls) -> None:
    video = begun(gateway, "go on")
    await calls.until("poll_videos")
    kill_and_restart(gateway)
    assert ended(gateway, video)["status"] == "completed"
    assert await calls.submits() == 1
    kill_and_restart(gateway)
    assert send(gateway, f"/v1/videos/{video}")["status"] == "completed"
    assert await calls.submits() == 1


async def test_killed_while_submitting_fails_honestly_and_is_not_sent_again(gateway: Gateway, calls: Calls) -> None:
    await calls.control.add_fault("latency", call="submit_*", latency_s=HELD_S)
    video = begun(gateway, "lost")
    await calls.until("submit_text_video")
    kill_and_restart(gateway)
    failed = ended(gateway, video)
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "upstream_state_unknown"
    # The call takes effect upstream although its caller has gone: the very case in which a second one would cost.
    await calls.control.clear_faults()
    deadline = time.monotonic() + WITHIN_S
    while await calls.submits() < 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert await calls.arrived("submit_text_video") == 1
    assert await calls.submits() == 1


async def test_submit_whose_answer_is_cut_is_not_sent_again(gateway: Gateway, calls: Calls) -> None:
    assert ended(gateway, begun(gateway, "opens the connection"))["status"] == "completed"
    await calls.begin()
    await calls.control.add_fault("drop", call="submit_*", work_done=True)
    failed = ended(gateway, begun(gateway, "cut"))
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "upstream_state_unknown"
    assert await calls.arrived("submit_text_video") == 1
    assert await calls.submits() == 1


async def test_killed_while_authenticating_starts_over(gateway: Gateway, calls: Calls) -> None:
    (account,) = await calls.control.accounts()
    await calls.control.patch_account(account.id, at_lifetime_s=20.0)  # too short to be kept for the next call
    await calls.control.kill_access_tokens(account.id)
    assert ended(gateway, begun(gateway, "takes the short token"))["status"] == "completed"
    await calls.begin()
    await calls.control.add_fault("latency", call="exchange", latency_s=HELD_S)
    video = begun(gateway, "signs in first")
    await calls.until("exchange")
    assert await calls.arrived("submit_text_video") == 0
    kill_and_restart(gateway)
    assert ended(gateway, video)["status"] == "completed"
    assert await calls.submits() == 1
    await calls.control.patch_account(account.id, at_lifetime_s=86_400.0)


async def test_killed_while_uploading_starts_over(gateway: Gateway, calls: Calls) -> None:
    await calls.control.add_fault("latency", call="upload_image", latency_s=HELD_S)
    video = begun(gateway, "from a frame", input_reference={"image_url": PICTURE})
    await calls.until("upload_image")
    assert await calls.submits() == 0
    kill_and_restart(gateway)
    assert ended(gateway, video)["status"] == "completed"
    assert await calls.arrived("upload_image") == 2
    assert await calls.submits() == 1


async def test_killed_while_waiting_in_line_gets_its_turn(gateway: Gateway, calls: Calls) -> None:
    await calls.control.configure(video_s=60.0)
    first = begun(gateway, "slow")
    await calls.until("poll_videos")
    second = begun(gateway, "after the slow one")
    time.sleep(0.3)  # it would have been sent by now if it did not wait
    assert send(gateway, f"/v1/videos/{second}")["status"] == "queued"
    assert await calls.submits() == 1
    gateway.kill()
    await calls.control.configure(video_s=OPTIONS["video_s"])
    restart(gateway)
    await calls.control.advance(60)
    assert ended(gateway, first)["status"] == "completed"
    assert ended(gateway, second)["status"] == "completed"
    assert await calls.submits() == 2


async def test_killed_while_enlarging_completes_with_one_submit_for_each_step(gateway: Gateway, calls: Calls) -> None:
    await calls.control.configure(video_upscale_s=60.0)
    video = begun(gateway, "sharp", model="veo_3_1_t2v_fast", size="1280x720", resolution="1080p")
    await calls.until("submit_video_upscale")
    polls = await calls.arrived("poll_videos")
    await calls.until("poll_videos", polls + 2)
    kill_and_restart(gateway)
    await calls.control.advance(60)
    done = ended(gateway, video)
    assert done["status"] == "completed", done
    assert await calls.arrived("submit_text_video") == 1
    assert await calls.arrived("submit_video_upscale") == 1
    assert await calls.submits() == 2


async def test_killed_while_downloading_completes(gateway: Gateway, calls: Calls) -> None:
    await calls.control.add_fault("latency", call="download_video", latency_s=HELD_S)
    video = begun(gateway, "stored once")
    await calls.until("download_video")
    kill_and_restart(gateway)
    assert ended(gateway, video)["status"] == "completed"
    assert await calls.submits() == 1


async def test_stopped_in_order_hands_its_videos_over(gateway: Gateway, calls: Calls) -> None:
    await calls.control.configure(video_s=60.0)
    video = begun(gateway, "later")
    await calls.until("poll_videos")
    assert gateway.stop() == 0
    restart(gateway)
    await calls.control.advance(60)
    assert ended(gateway, video)["status"] == "completed"
    assert await calls.submits() == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")
@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
async def test_sdk_that_waits_meanwhile_gets_what_it_paid_for_and_pays_once(
    gateway: Gateway, calls: Calls, is_killed: bool
) -> None:
    """The SDK sends no idempotency key: it counts its tries, and that is all by which the new process knows them."""
    name = "killed" if is_killed else "stopped"
    await calls.control.configure(video_s=60.0)
    spent = (await calls.control.counters()).credits_spent
    async with openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=8, timeout=60
    ) as client:
        asked = {"role": "user", "content": f"wait, {name}"}
        chat = asyncio.create_task(client.chat.completions.create(model="sora-2", messages=[asked]))  # type: ignore[list-item]
        await calls.until("poll_videos")
        price = (await calls.control.counters()).credits_spent - spent
        video = asyncio.create_task(client.videos.create_and_poll(model="sora-2", prompt=f"poll, {name}"))
        async with asyncio.timeout(WITHIN_S):
            while not any(f"poll, {name}" in (one.prompt or "") for one in (await client.videos.list()).data):
                await asyncio.sleep(0.05)
        latency_s = HELD_S if is_killed else 1.0  # the stop waits for it
        await calls.control.add_fault("latency", call="generate_images", latency_s=latency_s)
        picture = asyncio.create_task(client.images.generate(model="gpt-image-1", prompt=f"look, {name}"))
        await calls.until("generate_images")
        await asyncio.to_thread(gateway.kill if is_killed else gateway.stop)
        await calls.control.configure(video_s=OPTIONS["video_s"])
        gateway.start()  # here: it ends with the thread that starts it
        await asyncio.to_thread(gateway.wait_until_ready)
        await calls.control.advance(60)
        assert "/media/" in str((await chat).choices[0].message.content)
        assert (await video).status == "completed"
        made = (await picture).data
    assert made is not None
    assert made[0].b64_json
    assert await calls.arrived("submit_text_video") == 2, "one for the chat, one for the video"
    # A picture that the stop found under way is brought to its end; one that a kill cut off costs nothing and is made anew.
    assert await calls.arrived("generate_images") == (2 if is_killed else 1)
    assert (await calls.control.counters()).credits_spent - spent == 2 * price


async def test_marked_repeat_of_a_video_request_finds_it_after_a_restart(gateway: Gateway, calls: Calls) -> None:
    def asked(count: int) -> str:
        request = urllib.request.Request(
            f"{gateway.url}/v1/videos",
            json.dumps({**CLIP, "prompt": "the answer was lost"}).encode(),
            {
                "authorization": f"Bearer {gateway.key}",
                "content-type": "application/json",
                "x-stainless-retry-count": str(count),
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(json.load(answer)["id"])

    video = asked(0)
    await calls.until("poll_videos")
    kill_and_restart(gateway)
    assert asked(1) == video
    assert ended(gateway, video)["status"] == "completed"
    assert asked(2) == video
    assert asked(0) != video
