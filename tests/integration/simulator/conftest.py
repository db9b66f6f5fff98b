from collections.abc import AsyncIterator

import pytest

from flow2api.testing.simulator import SimulatorProcess
from tests.integration.simulator.flow_client import FlowClient


@pytest.fixture(params=["seed", "2026-06"])
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[SimulatorProcess]:
    """A simulator with one account, in each era."""
    async with SimulatorProcess(accounts=1, era=request.param, media="full") as simulator:
        yield simulator


@pytest.fixture
async def flow(simulator: SimulatorProcess) -> AsyncIterator[FlowClient]:
    """A client of its account."""
    async with FlowClient(simulator, simulator.ready.accounts[0]) as client:
        yield client
