"""A wrong API key, over the running server: its account rests and says why, and the key is shown to the service just once."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway, Simulator

MODELS = {"gemini": "google-gemini-3.1-flash-image", "openai": "openai-gpt-image-1.5"}
WRONG = "wrong-key-0123456789abcdef"
UPSTREAMS = sorted(MODELS)


class WrongKeys(Gateway):
    """A server all of whose accounts have a key that the service does not know."""

    def add_accounts(self, accounts: list[dict[str, Any]]) -> None:
        file = self.folder / "wrong.key"
        file.write_text(WRONG + "\n")
        hosted = ("--base-url", self.simulator.ready["openai_base_url"])
        for upstream in UPSTREAMS:
            where = hosted if upstream == "openai" else ()
            self.run("accounts", "add", "--upstream", upstream, *where, "--api-key-file", str(file), "--name", upstream)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), {"picture_s": 0.02}, [{}]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WrongKeys]:
    environment = {"FLOW2API_GEMINI__BASE_URL": simulator.ready["gemini_base_url"]}
    with WrongKeys(tmp_path_factory.mktemp("gateway"), simulator, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def client(gateway: WrongKeys) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control


def standing(gateway: WrongKeys, name: str) -> dict[str, Any]:
    """The account as an operator sees it once it rests."""
    deadline = time.monotonic() + 20
    while True:
        shown: dict[str, Any] = json.loads(gateway.run("accounts", "show", name, "--json"))["account"]
        if shown["status"] != "active" or time.monotonic() > deadline:
            return shown
        time.sleep(0.1)


@pytest.mark.parametrize("upstream", UPSTREAMS)
async def test_wrong_key_rests_its_account_says_so_and_is_never_tried_again(
    gateway: WrongKeys, client: openai.OpenAI, control: SimulatorControl, upstream: str
) -> None:
    shown = standing(gateway, upstream)
    asked = [one.call for one in await control.requests() if one.call.startswith(upstream)]

    told = []
    for _ in range(5):
        with pytest.raises(openai.APIStatusError) as refusal:
            client.images.generate(model=MODELS[upstream], prompt="a mug")
        assert (refusal.value.status_code, refusal.value.code) == (503, "no_account_available")
        told.append(refusal.value.message)

    assert (shown["status"], shown["reason"]) == ("suspended", "auth_expired")
    assert "key" in shown["why"]
    assert all("auth_expired" in one for one in told)
    assert len(asked) == 1
    assert [one.call for one in await control.requests() if one.call.startswith(upstream)] == asked
    assert WRONG not in gateway.output() + json.dumps(shown) + str(told)


async def test_wrong_key_is_not_tried_again_by_a_server_that_starts_anew(
    gateway: WrongKeys, control: SimulatorControl
) -> None:
    for upstream in UPSTREAMS:
        standing(gateway, upstream)
    before = len(await control.requests())
    gateway.stop()
    gateway.start()
    gateway.wait_until_ready()
    assert all(standing(gateway, one)["reason"] == "auth_expired" for one in UPSTREAMS)
    assert len(await control.requests()) == before
