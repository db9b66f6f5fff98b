from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from flow2api.testing.simulator import SimulatorProcess
from tests.integration.flow.stage import FlowStage

ERAS = ("seed", "2026-06")


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def simulators() -> AsyncIterator[dict[str, SimulatorProcess]]:
    """A simulator for each era."""
    async with SimulatorProcess(era="seed") as seed, SimulatorProcess(era="2026-06") as later:
        yield {"seed": seed, "2026-06": later}


@pytest_asyncio.fixture(loop_scope="package", params=ERAS)
async def stage(simulators: dict[str, SimulatorProcess], request: pytest.FixtureRequest) -> AsyncIterator[FlowStage]:
    """The adapter in each era."""
    async for each in fresh_stage(simulators, request.param):
        yield each


@pytest_asyncio.fixture(loop_scope="package")
async def later(simulators: dict[str, SimulatorProcess]) -> AsyncIterator[FlowStage]:
    """The adapter in the era ``2026-06``."""
    async for each in fresh_stage(simulators, "2026-06"):
        yield each


@pytest_asyncio.fixture(loop_scope="package")
async def seed(simulators: dict[str, SimulatorProcess]) -> AsyncIterator[FlowStage]:
    """The adapter in the era ``seed``."""
    async for each in fresh_stage(simulators, "seed"):
        yield each


async def fresh_stage(simulators: dict[str, SimulatorProcess], era: str) -> AsyncIterator[FlowStage]:
    await simulators[era].control.reset()
    stage = FlowStage(simulators[era], era)
    yield stage
    await stage.flow.aclose()
