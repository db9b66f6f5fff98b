from collections.abc import AsyncIterator

import pytest_asyncio

from flow2api.testing.simulator import SimulatorProcess
from tests.integration.gemini.stage import GeminiStage


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def simulator() -> AsyncIterator[SimulatorProcess]:
    async with SimulatorProcess() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def stage(simulator: SimulatorProcess) -> AsyncIterator[GeminiStage]:
    """The adapter on a simulator that has just begun."""
    await simulator.control.reset()
    stage = GeminiStage(simulator)
    yield stage
    await stage.gemini.aclose()
