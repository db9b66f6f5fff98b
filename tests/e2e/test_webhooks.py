"""What others are told while the whole server runs: signed, to whom it concerns, and at nobody's expense."""

import statistics
import time
import urllib.request
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
BODY = {"model": "gpt-image-1", "prompt": "a canary in a mine"}


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
def usual_s(gateway: Gateway) -> float:
    """How long a picture takes before there is any webhook."""
    return statistics.median(_timed(gateway) for _ in range(20))


@pytest.fixture(scope="module")
def verifiers(gateway: Gateway, receiver: Receiver, usual_s: float) -> dict[str, Verifier]:
    """All webhooks of these tests, each at the path of its name, added to the running server."""
    receiver.delay_s["/slow"] = 60.0
    wanted = {
        "done": ["--event", "generation.completed"],
        "mine": ["--event", "generation.failed", "--key", "tests"],
        "slow": ["--event", "generation.completed"],
        "refusing": ["--event", "generation.completed"],
        "care": ["--event", "account.needs_care", "--event", "account.recovered"],
    }
    made = {
        name: command(gateway, "webhooks", "add", name, receiver.url(f"/{name}"), *events)["secret"]
        for name, events in wanted.items()
    }
    time.sleep(1.3)  # the change feed is read once a second
    return {name: Verifier(secret) for name, secret in made.items()}


def verified(verifier: Verifier, got: Received) -> dict[str, Any]:
    return dict(verifier.verify(got.body, dict(got.headers)))


def paint(gateway: Gateway, key: str = "") -> tuple[int, Any]:
    status, _, answer = ask(gateway, "POST", IMAGE, BODY, key=key or gateway.key)
    return status, answer


def test_picture_is_told_with_links_that_open(
    gateway: Gateway, receiver: Receiver, verifiers: dict[str, Verifier]
) -> None:
    assert paint(gateway)[0] == 200
    (got,) = receiver.wait_for(1, "/done")

    told = verified(verifiers["done"], got)
    (result,) = told["data"]["results"]
    assert (told["type"], told["data"]["state"], told["data"]["error"]) == ("generation.completed", "completed", None)
    assert b"canary" not in got.body
    with urllib.request.urlopen(result["url"], timeout=10) as opened:
        assert opened.headers["content-type"].startswith("image/")


def test_one_that_refuses_is_tried_again_and_a_slow_one_costs_no_picture_anything(
    gateway: Gateway, receiver: Receiver, verifiers: dict[str, Verifier], usual_s: float
) -> None:
    earlier = {one["message_id"] for one in command(gateway, "webhooks", "deliveries", "refusing")["deliveries"]}
    receiver.wait_for(len(earlier), "/refusing")

    def came() -> list[Received]:
        return [got for got in receiver.of("/refusing") if got.headers["webhook-id"] not in earlier]

    receiver.replies["/refusing"] = [500]
    after = [_timed(gateway) for _ in range(20)]
    # The first message comes again, some five seconds later, under its id.
    receiver.wait_until(lambda: len(came()) >= 21)

    assert statistics.median(after) < usual_s * 1.5 + 0.05
    assert len(receiver.of("/slow")) <= 4
    ids = [got.headers["webhook-id"] for got in came()]
    assert len(set(ids)) == 20
    assert ids[-1] == ids[0]
    assert verified(verifiers["refusing"], came()[-1])["type"] == "generation.completed"

    def tries() -> list[int]:
        kept = command(gateway, "webhooks", "deliveries", "refusing")["deliveries"]
        return sorted(one["attempts"] for one in kept if one["message_id"] not in earlier)

    receiver.wait_until(lambda: tries() == [1] * 19 + [2])


async def test_failure_is_told_with_its_code_to_the_key_that_asked(
    gateway: Gateway, receiver: Receiver, verifiers: dict[str, Verifier], control: SimulatorControl
) -> None:
    other = gateway.make_key("other")
    for key in (other, gateway.key):
        await control.clear_faults()
        await control.add_fault("error", call="generate_images", status=400, reason="PUBLIC_ERROR_UNSAFE_GENERATION")
        assert paint(gateway, key)[0] == 400
    (got,) = receiver.wait_for(1, "/mine")

    assert verified(verifiers["mine"], got)["data"]["error"]["code"] == "moderation_blocked"


async def test_account_that_needs_care_is_told_and_its_cure(
    gateway: Gateway, receiver: Receiver, verifiers: dict[str, Verifier], control: SimulatorControl
) -> None:
    await control.patch_account(EMAILS[0], revoked="unauthorized")
    await control.kill_access_tokens(EMAILS[0])
    for _ in range(6):
        assert paint(gateway)[0] == 200
    (got,) = receiver.wait_for(1, "/care")
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
    assert paint(gateway)[0] == 200
    return time.perf_counter() - began
