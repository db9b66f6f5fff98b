"""One simulator and one server for each wire era, shared by the tests of this folder; faults are cleared in between."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import openai
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway, Simulator

OPTIONS = {
    "picture_s": 0.02,
    "picture_upscale_s": 0.02,
    "video_s": 0.3,
    "video_upscale_s": 0.2,
    "concatenation_s": 0.05,
    "video_scale": 0.1,
}
ACCOUNTS = [
    {"email": "ultra@example.com", "tier": "PAYGATE_TIER_TWO", "credits": 100_000},
    {"email": "pro@example.com", "tier": "PAYGATE_TIER_ONE", "credits": 100_000},
]


@pytest.fixture(scope="session", params=["2026-06", "seed"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def simulator(era: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), {**OPTIONS, "era": era}, ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(era: str, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator, era=era, as_command=True) as running:
        yield running


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
async def async_client(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=30
    ) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
