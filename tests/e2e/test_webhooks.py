"""What others are told while the whole server runs: signed, to whom it concerns, and at nobody's expense."""

import json
import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from flow2api.testing.simulator import SimulatorControl
from tests.command_line import CommandLine
from tests.e2e.conftest import OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_refusals import IMAGE, ask
from tests.hook_receiver import Received, Receiver, receiving

EMAILS = ["one@example.com", "two@example.com"]
TRY_S = 15.0
"""How long the server waits for a receiver's answer: what waited for the slow one would take as long."""
ANY_MODEL, MODEL, OTHER_MODEL = "gpt-image-1", "gemini-3.0-pro-image", "gemini-2.5-flash-image"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    accounts = [{"email": one} for one in EMAILS]
    with Simulator(tmp_path_factory.mktemp("simulator"), {**OPTIONS, "era": "2026-06"}, accounts) as running:
        yield running


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = {"FLOW2API_OPTIONS__PRIVATE_WEBHOOKS": "true"}
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), simulator, environment=environment)
    gateway.environment["FLOW2API_PUBLIC_URL"] = gateway.url
    with gateway as running:
        yield running


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()


def command(gateway: Gateway, *arguments: str) -> Any:
    """What a command says that is run in the test's own process, beside the server."""
    ran = CommandLine({name: value for name, value in gateway.environment.items() if name.startswith("FLOW2API_")})(
        *arguments, "--json"
    )
    assert ran.code == 0, ran.err
    return ran.json


@pytest.fixture(scope="module")
def verifiers(gateway: Gateway, receiver: Receiver) -> dict[str, Verifier]:
    """All webhooks of these tests, each at the path of its name, added to the running server, which has taken them in."""
    receiver.delay_s["/slow"] = 3600.0
    wanted = {
        "done": ["--event", "generation.completed"],
        "mine": ["--event", "generation.failed", "--key", "tests"],
        "slow": ["--event", "generation.completed"],
        "care": ["--event", "account.needs_care", "--event", "account.recovered"],
        "refusing": ["--event", "generation.completed"],
    }
    made = {
        name: command(gateway, "webhooks", "add", name, receiver.url(f"/{name}"), *events)["secret"]
        for name, events in wanted.items()
    }

    def is_last_known() -> bool:
        paint(gateway)
        time.sleep(0.2)
        return bool(receiver.of("/refusing"))

    receiver.wait_until(is_last_known)
    return {name: Verifier(secret) for name, secret in made.items()}


def verified(verifier: Verifier, got: Received) -> dict[str, Any]:
    return dict(verifier.verify(got.body, dict(got.headers)))


def paint(gateway: Gateway, key: str = "", model: str = ANY_MODEL) -> int:
    return ask(gateway, "POST", IMAGE, {"model": model, "prompt": "a canary in a mine"}, key=key or gateway.key)[0]


def about(model: str, received: list[Received]) -> list[Received]:
    """The messages that tell of pictures by this model, by which each test knows its own."""
    return [one for one in received if json.loads(one.body)["data"].get("model") == model]


def test_picture_is_told_with_links_that_open(
    gateway: Gateway, receiver: Receiver, verifiers: dict[str, Verifier]
) -> None:
    assert paint(gateway, model=MODEL) == 200
    receiver.wait_until(lambda: bool(about(MODEL, receiver.of("/done"))))
    (got,) = about(MODEL, receiver.of("/done"))

    told = verified(verifiers["done"], got)
    (result,) = told["data"]["results"]
    assert (told["type"], told["data"]["state"], told["data"]["error"]) == ("generation.completed", "completed", None)
    assert b"canary" not in got.body
    with urllib.request.urlopen(result["url"], timeout=30) as opened:
        assert opened.headers["content-type"].startswith("image/")


def test_one_that_refuses_is_tried_again_and_a_slow_one_costs_no_picture_anything(
    gateway: Gateway, receiver: Receiver, verifiers: dict[str, Verifier]
) -> None:
    receiver.replies["/refusing"] = [500]
    took_s = [_timed(gateway) for _ in range(20)]

    def times() -> Counter[str]:
        return Counter(got.headers["webhook-id"] for got in receiver.of("/refusing"))

    def told() -> set[str]:
        return {got.headers["webhook-id"] for got in about(OTHER_MODEL, receiver.of("/refusing"))}

    # One of the messages comes again, some five seconds later, under its id.
    receiver.wait_until(lambda: len(told()) == 20 and max(times().values()) > 1)

    assert statistics.median(took_s) < TRY_S
    slow = receiver.of("/slow")
    assert all(later.at - sooner.at > TRY_S / 2 for sooner, later in zip(slow, slow[4:], strict=False))
    assert sorted(times().values())[-2:] == [1, 2]
    ((again, _),) = times().most_common(1)
    *_, got = (got for got in receiver.of("/refusing") if got.headers["webhook-id"] == again)
    assert verified(verifiers["refusing"], got)["type"] == "generation.completed"

    def tries() -> dict[str, int]:
        kept = command(gateway, "webhooks", "deliveries", "refusing")["deliveries"]
        return {one["message_id"]: one["attempts"] for one in kept}

    receiver.wait_until(lambda: tries() == times())


async def test_failure_is_told_with_its_code_to_the_key_that_asked(
    gateway: Gateway, receiver: Receiver, verifiers: dict[str, Verifier], control: SimulatorControl
) -> None:
    other = gateway.make_key("other")
    for key in (other, gateway.key):
        await control.clear_faults()
        await control.add_fault("error", call="generate_images", status=400, reason="PUBLIC_ERROR_UNSAFE_GENERATION")
        assert paint(gateway, key) == 400
    (got,) = receiver.wait_for(1, "/mine")

    assert verified(verifiers["mine"], got)["data"]["error"]["code"] == "moderation_blocked"


async def test_account_that_needs_care_is_told_and_its_cure(
    gateway: Gateway, receiver: Receiver, verifiers: dict[str, Verifier], control: SimulatorControl
) -> None:
    await control.patch_account(EMAILS[0], revoked="unauthorized")
    await control.kill_access_tokens(EMAILS[0])

    def is_told() -> bool:
        assert paint(gateway) == 200
        return bool(receiver.of("/care"))

    receiver.wait_until(is_told)  # chance chooses between the two accounts
    (got,) = receiver.of("/care")
    told = verified(verifiers["care"], got)
    assert (told["type"], told["data"]["email"]) == ("account.needs_care", EMAILS[0])
    assert told["data"]["reasons"] == ["auth_expired"]

    await control.patch_account(EMAILS[0], revoked="no")
    fresh = await control.sign_in(EMAILS[0])
    gateway.add_accounts([{"session_token": fresh.session_token, "email": EMAILS[0]}])
    _, well = receiver.wait_for(2, "/care")
    assert verified(verifiers["care"], well)["type"] == "account.recovered"


def _timed(gateway: Gateway) -> float:
    began = time.perf_counter()
    assert paint(gateway, model=OTHER_MODEL) == 200
    return time.perf_counter() - began
