"""A server with one account at each upstream that is opened by a key: what clients can ask for, and that what costs money is
asked for once, whatever upstream makes it and however the server ends.
"""

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from threading import Thread
from typing import Any

import openai
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_durability import HELD_S, PICTURE, Calls, ended, kill_and_restart, send
from tests.e2e.test_pictures import opened, png

OPTIONS = {"picture_s": 0.02, "video_s": 0.6, "video_scale": 0.1}
MODELS = [
    {"name": "longer", "id": "film-1", "kind": "video", "sizes": ["1280x720"], "seconds": [4, 8], "price_usd": 0.05, "extends": True},
    {"name": "film-again", "id": "film-1", "kind": "video", "sizes": ["1280x720"], "seconds": [4], "price_usd": 0.05, "remixes": True},
    {"name": "film", "id": "film-1", "kind": "video", "sizes": ["1280x720"], "seconds": [4], "price_usd": 0.05},
]  # fmt: skip
VIDEOS = {
    "google-veo-3.1-fast": ("gemini_submit", "gemini_operation"),
    "google-gemini-omni-1.2-flash": ("gemini_interact", "gemini_interaction"),
    "film": ("openai_submit", "openai_video"),
}
"""Each model with the call that spends and the one that asks how it stands."""

FLOW, GOOGLE, HOST = "gemini-3.0-pro-image", "google-gemini-3.1-flash-image", "openai-gpt-image-1.5"
PICTURES = {GOOGLE: "gemini_generate", HOST: "openai_generate"}


class KeyedGateway(Gateway):
    """A server with one account of each upstream, the last two of which are keys."""

    def add_accounts(self, accounts: list[dict[str, Any]]) -> None:
        base = ("--base-url", self.simulator.ready["openai_base_url"])
        super().add_accounts(accounts[:1])
        for upstream, more, one in zip(("gemini", "openai"), ((), base), accounts[1:], strict=True):
            file = self.folder / f"{upstream}.key"
            file.write_text(one["api_key"] + "\n")
            self.run("accounts", "add", "--upstream", upstream, "--api-key-file", str(file), *more)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), OPTIONS, [{}, {}, {"credits": 100_000}]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = {
        "FLOW2API_GEMINI__BASE_URL": simulator.ready["gemini_base_url"],
        "FLOW2API_OPENAI__MODELS": json.dumps(MODELS),
        "FLOW2API_OPTIONS__MODEL_ROUTES": json.dumps({"picture": [FLOW, GOOGLE, HOST]}),
        "FLOW2API_LEASE_S": "1",
    }
    with KeyedGateway(tmp_path_factory.mktemp("gateway"), simulator, environment=environment) as running:
        yield running


@pytest.fixture
async def calls(simulator: Simulator) -> AsyncIterator[Calls]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        calls = Calls(control)
        await calls.begin()
        yield calls
        await control.clear_faults()


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=30) as client:
        yield client


async def test_mask_reaches_the_host_that_takes_masks(client: openai.OpenAI, calls: Calls) -> None:
    answer = client.images.edit(
        model=HOST, prompt="a hat", image=("a.png", png(), "image/png"), mask=("m.png", png(), "image/png")
    )

    assert answer.data
    (sent,) = await calls.control.requests(call="openai_edit")
    assert [one["name"] for one in sent.body["_files"]] == ["image", "mask"]
    assert "warnings" not in (answer.model_extra or {})


def test_mask_may_come_in_json(gateway: Gateway) -> None:
    body = {"model": HOST, "prompt": "a hat", "images": [{"image_url": PICTURE}], "mask": {"image_url": PICTURE}}

    assert send(gateway, "/v1/images/edits", body)["data"]


async def test_mask_that_would_be_ignored_at_a_price_is_refused(client: openai.OpenAI, calls: Calls) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        client.images.edit(
            model=GOOGLE, prompt="a hat", image=("a.png", png(), "image/png"), mask=("m.png", png(), "image/png")
        )

    assert refusal.value.param == "mask"
    assert await calls.arrived("gemini_generate") == 0


@pytest.mark.parametrize(("asked", "size"), [({"quality": "high"}, 2048), ({"quality": "medium"}, 1024), ({}, 1024)])
def test_high_quality_is_larger_at_google(client: openai.OpenAI, asked: dict[str, Any], size: int) -> None:
    answer = client.images.generate(model=GOOGLE, prompt="a mug", size="1024x1024", **asked)

    assert answer.data is not None
    assert opened(answer.data[0].b64_json).size == (size, size)


@pytest.mark.parametrize(
    ("asked", "sent"), [({"quality": "high"}, "high"), ({"quality": "low"}, "low"), ({}, "medium")]
)
async def test_host_is_asked_for_the_quality_that_was_asked_for(
    client: openai.OpenAI, calls: Calls, asked: dict[str, Any], sent: str
) -> None:
    made = client.images.generate(model=HOST, prompt="a mug", size="1024x1024", **asked)
    edited = client.images.edit(model=HOST, prompt="a hat", image=("a.png", png(), "image/png"), **asked)

    for call, answer in (("openai_generate", made), ("openai_edit", edited)):
        request = (await calls.control.requests(call=call))[-1]
        assert (request.body["quality"], answer.quality) == (sent, sent)
        assert "warnings" not in (answer.model_extra or {})


def test_smallest_picture_has_to_be_asked_for(client: openai.OpenAI) -> None:
    answer = client.images.generate(model=GOOGLE, prompt="a mug", size="512x512", extra_body={"image_size": "512"})

    assert answer.data is not None
    assert opened(answer.data[0].b64_json).size == (512, 512)


async def test_video_of_a_host_is_extended_there(gateway: Gateway, calls: Calls) -> None:
    parent = begun(gateway, "film", "waves")
    assert ended(gateway, parent)["status"] == "completed"

    body = {"prompt": "a gull", "seconds": "8", "video": {"id": parent}}
    longer = ended(gateway, send(gateway, "/v1/videos/extensions", body)["id"])

    assert (longer["status"], longer["seconds"]) == ("completed", "12"), longer
    assert await calls.arrived("openai_extend") == 1


@pytest.mark.parametrize("at_once", ["/v1/videos/{}/remix", "/v1/videos/edits"])
async def test_video_of_a_host_is_remixed_there(gateway: Gateway, calls: Calls, at_once: str) -> None:
    parent = begun(gateway, "film", "waves")
    assert ended(gateway, parent)["status"] == "completed"
    before = await calls.control.requests(call="openai_remix")

    remixed = send(gateway, at_once.format(parent), {"prompt": "waves at night", "video": {"id": parent}})

    assert remixed["remixed_from_video_id"] == parent
    assert (ended(gateway, remixed["id"])["status"], remixed["seconds"]) == ("completed", "4")
    (sent,) = (await calls.control.requests(call="openai_remix"))[len(before) :]
    assert sent.body == {"prompt": "waves at night"}
    assert await calls.arrived("openai_submit") == 1


def begun(gateway: Gateway, model: str, prompt: str) -> str:
    return str(send(gateway, "/v1/videos", {"model": model, "seconds": "4", "prompt": prompt})["id"])


@contextmanager
def asked(gateway: Gateway, model: str) -> Iterator[None]:
    """A picture is waited for while this lasts; the server may go meanwhile."""

    def ask() -> None:
        with suppress(OSError, HTTPException):
            send(gateway, "/v1/images/generations", {"model": model, "prompt": "a mug"})

    thread = Thread(target=ask)
    thread.start()
    yield
    thread.join()


async def until_submitted(calls: Calls, count: int = 1) -> None:
    deadline = time.monotonic() + 30
    while await calls.submits() < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("model", VIDEOS)
async def test_video_goes_on_after_a_kill_with_one_submit(gateway: Gateway, calls: Calls, model: str) -> None:
    _, look = VIDEOS[model]
    video = begun(gateway, model, "go on")
    await calls.until(look)
    kill_and_restart(gateway)

    assert ended(gateway, video)["status"] == "completed"
    assert await calls.submits() == 1


@pytest.mark.parametrize("model", VIDEOS)
async def test_video_that_was_being_asked_for_ends_unknown_and_is_not_sent_again(
    gateway: Gateway, calls: Calls, model: str
) -> None:
    submit, _ = VIDEOS[model]
    await calls.control.add_fault("latency", call=submit, latency_s=HELD_S)
    video = begun(gateway, model, "lost")
    await calls.until(submit)
    kill_and_restart(gateway)

    failed = ended(gateway, video)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "upstream_state_unknown")
    await calls.control.clear_faults()
    await until_submitted(calls)  # it takes effect although its caller has gone
    assert (await calls.arrived(submit), await calls.submits()) == (1, 1)


@pytest.mark.parametrize("model", VIDEOS)
async def test_video_whose_answer_is_cut_ends_unknown_and_is_not_sent_again(
    gateway: Gateway, calls: Calls, model: str
) -> None:
    submit, _ = VIDEOS[model]
    await calls.control.add_fault("drop", call=submit, work_done=True)

    failed = ended(gateway, begun(gateway, model, "cut"))

    assert (failed["status"], failed["error"]["code"]) == ("failed", "upstream_state_unknown")
    assert (await calls.arrived(submit), await calls.submits()) == (1, 1)


@pytest.mark.parametrize("model", PICTURES)
async def test_picture_that_was_being_asked_for_is_not_sent_again(gateway: Gateway, calls: Calls, model: str) -> None:
    submit = PICTURES[model]
    await calls.control.add_fault("latency", call=submit, latency_s=HELD_S)
    with asked(gateway, model):
        await calls.until(submit)
        gateway.kill()
    gateway.start()
    gateway.wait_until_ready()
    await calls.control.clear_faults()
    await until_submitted(calls)
    time.sleep(1.5)  # longer than the lease, after which the row is taken over

    assert (await calls.arrived(submit), await calls.submits()) == (1, 1)


async def test_route_falls_over_from_one_upstream_to_the_next_and_the_next(client: openai.OpenAI, calls: Calls) -> None:
    made = []  # the last test, for its accounts rest from now on
    for call in ("", "generate_images", "gemini_generate"):
        if call:
            await calls.control.add_fault("error", call=call, status=429, retry_after_s=1, times=1)
        raw = client.images.with_raw_response.generate(model="picture", prompt="a mug", size="1024x1024")
        assert raw.parse().data
        made.append(raw.headers.get("x-flow2api-warnings", ""))

    assert made[0] == ""
    assert GOOGLE in made[1]
    assert HOST in made[2]
