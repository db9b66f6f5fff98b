from collections.abc import AsyncIterator

import pytest_asyncio

from flow2api.testing.simulator import SimulatorProcess
from tests.integration.openai_media.stage import HostStage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def simulator() -> AsyncIterator[SimulatorProcess]:
    async with SimulatorProcess() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def stage(simulator: SimulatorProcess) -> AsyncIterator[HostStage]:
    made = HostStage(simulator)
    yield made
    await simulator.control.clear_faults()
    await made.host.aclose()
