"""A killed server with accounts that are API keys: what costs money is asked for once, whatever upstream makes it."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from threading import Thread
from typing import Any

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_durability import Calls, ended, kill_and_restart, send

OPTIONS = {"picture_s": 0.02, "video_s": 0.6, "video_scale": 0.1}
MODELS = [
    {"name": "film", "id": "film-1", "kind": "video", "sizes": ["1280x720"], "seconds": [4], "price_usd": 0.05},
]  # fmt: skip
VIDEOS = {
    "google-veo-3.1-fast": ("gemini_submit", "gemini_operation"),
    "google-gemini-omni-1.2-flash": ("gemini_interact", "gemini_interaction"),
    "film": ("openai_submit", "openai_video"),
}
"""Each model with the call that spends and the one that asks how it stands."""

PICTURES = {"google-gemini-3.1-flash-image": "gemini_generate", "openai-gpt-image-1.5": "openai_generate"}


class KeyedGateway(Gateway):
    """A server with one account at each upstream that is opened by keys."""

    def add_accounts(self, accounts: list[dict[str, Any]]) -> None:
        base = ("--base-url", self.simulator.ready["openai_base_url"])
        for upstream, more, one in zip(("gemini", "openai"), ((), base), accounts, strict=True):
            file = self.folder / f"{upstream}.key"
            file.write_text(one["api_key"] + "\n")
            self.run("accounts", "add", "--upstream", upstream, "--api-key-file", str(file), *more)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), OPTIONS, [{}, {"credits": 100_000}]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = {
        "FLOW2API_GEMINI__BASE_URL": simulator.ready["gemini_base_url"],
        "FLOW2API_OPENAI__MODELS": json.dumps(MODELS),
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
    await calls.control.add_fault("latency", call=submit, latency_s=1.0)
    video = begun(gateway, model, "lost")
    await calls.until(submit)
    kill_and_restart(gateway)

    failed = ended(gateway, video)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "upstream_state_unknown")
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
    await calls.control.add_fault("latency", call=submit, latency_s=1.0)
    with asked(gateway, model):
        await calls.until(submit)
        gateway.kill()
    gateway.start()
    gateway.wait_until_ready()
    await until_submitted(calls)
    time.sleep(1.5)  # longer than the lease, after which the row is taken over

    assert (await calls.arrived(submit), await calls.submits()) == (1, 1)
