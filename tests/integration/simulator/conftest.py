from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from flow2api.testing.simulator import SimulatorProcess
from tests.integration.simulator.flow_client import FlowClient


@pytest_asyncio.fixture(loop_scope="package", scope="package", params=["seed", "2026-06"])
async def running(request: pytest.FixtureRequest) -> AsyncIterator[SimulatorProcess]:
    """A simulator of each era."""
    async with SimulatorProcess(era=request.param, media="full") as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="package")
async def simulator(running: SimulatorProcess) -> SimulatorProcess:
    """A simulator of each era as it is at its start."""
    await running.control.reset()
    return running


@pytest_asyncio.fixture(loop_scope="package")
async def flow(simulator: SimulatorProcess) -> AsyncIterator[FlowClient]:
    """A client of its only account."""
    async with FlowClient(simulator, await simulator.control.add_account()) as client:
        yield client
