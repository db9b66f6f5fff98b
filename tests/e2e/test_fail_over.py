"""How many accounts one request goes through while the upstream is bad, and what it meets when all of them fail."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_pool import last_id, made_by
from tests.e2e.test_refusals import IMAGE, ask, error

ACCOUNTS = 40
MOST_ATTEMPTS = 8
NO_BUDGET = {"FLOW2API_OPTIONS__RETRIES_PER_MIN": "1000"}
FULL: dict[str, Any] = {"status": 429, "reason": "PUBLIC_ERROR_USER_REQUESTS_THROTTLED", "retry_after_s": 30}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    accounts = [{"email": f"{number}@example.com"} for number in range(ACCOUNTS)]
    with Simulator(tmp_path_factory.mktemp("simulator"), {**OPTIONS, "era": "2026-06"}, accounts) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator, environment=NO_BUDGET) as running:
        running.wait_until_warm()
        yield running


@pytest.fixture(autouse=True)
def _fair_weather(gateway: Gateway) -> None:
    """So many calls go well that the bad ones are few among them: else the upstream would be left alone."""
    for _ in range(3 * MOST_ATTEMPTS):
        assert ask(gateway, "POST", IMAGE, {"prompt": "a mug"})[0] == 200


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("error", {"status": 500}), ("html", {"status": 502}), ("error", FULL)],
    ids=["500", "html", "429"],
)
async def test_the_eighth_account_may_still_make_it(
    gateway: Gateway, control: SimulatorControl, kind: Any, fields: dict[str, Any]
) -> None:
    before = await last_id(control)
    await control.add_fault(kind, call="generate_images", times=MOST_ATTEMPTS - 1, **fields)
    answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug"})
    assert answer[0] == 200, answer
    calls = await made_by(control, before)
    assert [status for _, status in calls] == [fields["status"]] * (MOST_ATTEMPTS - 1) + [200]
    assert len({account for account, _ in calls}) == MOST_ATTEMPTS


async def test_there_is_no_ninth(gateway: Gateway, control: SimulatorControl) -> None:
    before = await last_id(control)
    await control.add_fault("error", call="generate_images", times=None, status=500)
    answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug"})
    await control.clear_faults()
    assert answer[0] == 502, answer
    assert error(answer)["code"] == "upstream_unavailable"
    assert answer[1]["x-should-retry"] == "false"
    assert len({account for account, _ in await made_by(control, before)}) == MOST_ATTEMPTS
    assert ask(gateway, "POST", IMAGE, {"prompt": "a mug"})[0] == 200
