"""One server over the simulator for the tests of this folder; the faults of one test are gone in the next."""

from collections.abc import AsyncIterator, Iterator

import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import ACCOUNTS, OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.security.wire import Wire


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    options = {**OPTIONS, "media": "small", "video_s": 0.1, "era": "2026-06"}
    with Simulator(tmp_path_factory.mktemp("simulator"), options, ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator) as running:
        yield running


@pytest.fixture
def wire(gateway: Gateway) -> Wire:
    assert gateway.child is not None
    return Wire(gateway.port, gateway.key, gateway.child.pid)


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()
