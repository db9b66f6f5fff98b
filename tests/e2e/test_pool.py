"""What callers meet when accounts fail, are busy, rest or are switched off."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_refusals import IMAGE, ask, error

ERA = {**OPTIONS, "era": "2026-06"}
QUICK = {"FLOW2API_OPTIONS__IMAGE_WAIT_S": "0.5"}
HASTY = {**QUICK, "FLOW2API_OPTIONS__IMAGE_TIMEOUT_S": "3"}
EMAILS = ["one@example.com", "two@example.com", "three@example.com", "four@example.com", "five@example.com"]
THROTTLED: dict[str, Any] = {"status": 429, "reason": "PUBLIC_ERROR_USER_REQUESTS_THROTTLED", "retry_after_s": 30}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), ERA, [{"email": one} for one in EMAILS]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator, environment=QUICK, image_slots=1) as running:
        running.wait_until_warm()
        yield running


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()


@pytest.fixture(scope="module")
def solitude(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Simulator]]:
    """A server with a single account, and little time for each picture."""
    folder = tmp_path_factory.mktemp("one")
    with (
        Simulator(folder, ERA, [{"email": "one@example.com"}]) as simulator,
        Gateway(folder, simulator, environment=HASTY) as gateway,
    ):
        yield gateway, simulator


@pytest.fixture
async def alone(solitude: tuple[Gateway, Simulator]) -> AsyncIterator[tuple[Gateway, SimulatorControl]]:
    gateway, simulator = solitude
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield gateway, control
        await control.clear_faults()


def resting(gateway: Gateway) -> set[str]:
    """Emails of the accounts that cool down."""
    listed = json.loads(gateway.run("accounts", "list", "--json"))
    rows = listed["accounts"] if isinstance(listed, dict) else listed
    return {row["email"] for row in rows if row["status"] == "cooling_down"}


async def made_by(control: SimulatorControl, after: int) -> list[tuple[str | None, int]]:
    """Account and status of each call for a picture since then."""
    return [(call.account, call.status) for call in await control.requests(call="generate_images", after=after)]


async def last_id(control: SimulatorControl) -> int:
    return max((call.id for call in await control.requests()), default=0)


@pytest.mark.parametrize(
    ("kind", "fields", "status"),
    [
        ("error", {"status": 500}, 500),
        ("html", {"status": 502}, 502),
        ("error", {**THROTTLED, "retry_after_s": 300}, 429),  # longer than all these tests take
    ],
    ids=["500", "html", "429"],
)
async def test_picture_comes_from_another_account(
    gateway: Gateway, control: SimulatorControl, kind: Any, fields: dict[str, Any], status: int
) -> None:
    before = await last_id(control)
    await control.add_fault(kind, call="generate_images", **fields)
    answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug"})
    assert answer[0] == 200, answer
    (first, met), (second, good) = await made_by(control, before)
    assert (met, good) == (status, 200)
    assert first != second


async def test_picture_comes_from_the_one_account_that_is_not_cut_off(
    gateway: Gateway, control: SimulatorControl
) -> None:
    # How often one account is asked is libcurl's: it repeats a free call whose kept connection was cut.
    before = await last_id(control)
    resting_now = resting(gateway)  # an earlier test may have sent any one of them to rest
    whole = next(email for email in EMAILS if email not in resting_now)
    for email in set(EMAILS) - {whole}:
        await control.add_fault("drop", call="generate_images", account=email, times=None)
    calls: list[tuple[str | None, int]] = []
    for _ in range(20):
        assert ask(gateway, "POST", IMAGE, {"prompt": "a mug"})[0] == 200
        if len(calls := await made_by(control, before)) > 1 and calls[0][1] == 0:
            break
        before = await last_id(control)
    good = (await control.account(whole)).id
    assert calls[0] != (good, 200)
    assert calls[-1] == (good, 200)
    assert {status for account, status in calls if account != good} == {0}


async def test_busy_pool_is_429_with_counts_and_retry_after(gateway: Gateway, control: SimulatorControl) -> None:
    before = await asked(control)
    await control.add_fault("latency", call="generate_images", times=None, latency_s=60.0)
    with ThreadPoolExecutor(len(EMAILS)) as threads:
        long = [threads.submit(ask, gateway, "POST", IMAGE, {"prompt": f"long {i}"}) for i in range(len(EMAILS))]
        try:
            deadline = time.monotonic() + 20
            # Accounts that rest serve none of them.
            while await asked(control) - before + sum(one.done() for one in long) < len(long):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            answer = ask(gateway, "POST", IMAGE, {"prompt": "one too many"})
        finally:
            await control.clear_faults()
    assert answer[0] == 429, answer
    found = error(answer)
    assert found["code"] == "rate_limit_exceeded"
    assert re.search(r"\b[1-5] busy", found["message"])
    assert 1 <= int(answer[1]["retry-after"]) <= 60
    assert "x-should-retry" not in answer[1]
    assert 200 in {one.result()[0] for one in long}


async def asked(control: SimulatorControl) -> int:
    return (await control.counters()).calls.get("generate_images", 0)


async def test_slow_upstream_is_504_and_not_asked_again(alone: tuple[Gateway, SimulatorControl]) -> None:
    gateway, control = alone
    await until_answered(gateway, 200)
    before = await asked(control)
    await control.add_fault("latency", call="generate_images", times=None, latency_s=60.0)
    began = time.monotonic()
    answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug"})
    took = time.monotonic() - began
    assert answer[0] == 504, answer
    assert error(answer)["code"] == "upstream_timeout"
    assert answer[1]["x-should-retry"] == "false"
    assert took >= 2.9
    assert await asked(control) == before + 1
    await control.clear_faults()
    assert ask(gateway, "POST", IMAGE, {"prompt": "a mug"})[0] == 200


async def test_anti_abuse_refusal_is_reported_and_only_its_account_rests(
    gateway: Gateway, control: SimulatorControl
) -> None:
    rested, before = resting(gateway), await last_id(control)
    await control.configure(refuse_anti_abuse=True)
    answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug"})
    await control.configure(refuse_anti_abuse=False)
    assert answer[0] == 502, answer
    assert error(answer)["code"] == "upstream_refused"
    assert answer[1]["x-should-retry"] == "false"
    ((account, status),) = await made_by(control, before)
    assert account is not None
    assert status == 403
    # Rests of the tests before this one may end meanwhile.
    refused = (await control.account(account)).knobs.email
    assert refused not in rested
    assert refused in resting(gateway) <= rested | {refused}


async def until_answered(gateway: Gateway, status: int) -> Any:
    """The answer for a picture once it has this status: what a command changes reaches the server within seconds."""
    deadline = time.monotonic() + 30
    while (answer := ask(gateway, "POST", IMAGE, {"prompt": "a mug"}))[0] != status:
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


async def test_pool_that_is_switched_off_is_503_and_one_that_rests_is_429(
    alone: tuple[Gateway, SimulatorControl],
) -> None:
    gateway, control = alone
    gateway.run("accounts", "disable", "one@example.com")
    off = await until_answered(gateway, 503)
    assert error(off)["code"] == "no_account_available"
    assert re.search(r"\b1 (manual|disabled)", error(off)["message"]), off
    assert off[1]["x-should-retry"] == "false"
    gateway.run("accounts", "enable", "one@example.com")
    await until_answered(gateway, 200)
    await control.add_fault("error", call="generate_images", **THROTTLED)
    for _ in range(2):  # by the upstream's own word, then by the account's rest
        limited = ask(gateway, "POST", IMAGE, {"prompt": "a mug"})
        assert limited[0] == 429, limited
        assert error(limited)["code"] == "rate_limit_exceeded"
        assert 1 <= int(limited[1]["retry-after"]) <= 60
    assert (await control.faults())[0].hits == 1
