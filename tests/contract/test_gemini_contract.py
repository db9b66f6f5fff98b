"""What every upstream promises, asked of the Gemini API, as the simulator plays it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from flow2api.domain.account import Credentials, Tier
from flow2api.domain.secret import Secret
from flow2api.testing.contracts import Backstage, UpstreamContract
from flow2api.testing.contracts.backstage import Offer
from flow2api.testing.simulator import SimulatorProcess
from tests.integration.gemini.stage import FRAMES, IMAGEN, OMNI, PICTURE, REFERENCES, VIDEO, GeminiStage


class GeminiBackstage(Backstage):
    """Behind the API's back. It tells neither who a key belongs to nor what is left, and keeps pictures under no name."""

    picture, video, frames, references, unserved = PICTURE, VIDEO, FRAMES, REFERENCES, IMAGEN
    offers = frozenset({Offer.UPLOADS, Offer.LATE_FAILURES})

    def __init__(self, simulator: SimulatorProcess) -> None:
        self.stage = GeminiStage(simulator)
        self.upstream = self.stage.gemini
        self._ids: dict[str, str] = {}

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int | None = None) -> Credentials:
        account = await self.stage.control.add_account()
        self._ids[account.api_key] = account.id
        return Credentials(Secret(account.api_key))

    async def revoke(self, credentials: Credentials) -> None:
        await self.stage.control.patch_account(self._ids[credentials.session_token.reveal()], revoked="empty")

    async def let_videos_take(self, seconds: float) -> None:
        await self.stage.control.configure(video_s=seconds)
        await self.stage.control.set_speed(0)

    async def pass_time(self, seconds: float) -> None:
        await self.stage.control.advance(seconds)


class OmniBackstage(GeminiBackstage):
    """The same for the videos of the other family."""

    video, frames, references = OMNI, OMNI, OMNI


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def simulator() -> AsyncIterator[SimulatorProcess]:
    async with SimulatorProcess() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gemini(simulator: SimulatorProcess) -> AsyncIterator[Backstage]:
    made = GeminiBackstage(simulator)
    yield made
    await made.upstream.aclose()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def omni(simulator: SimulatorProcess) -> AsyncIterator[Backstage]:
    made = OmniBackstage(simulator)
    yield made
    await made.upstream.aclose()


class TestGeminiUpstream(UpstreamContract):
    @pytest.fixture
    def backstage(self, gemini: Backstage) -> Backstage:
        return gemini


class TestGeminiUpstreamOverInteractions(UpstreamContract):
    @pytest.fixture
    def backstage(self, omni: Backstage) -> Backstage:
        return omni
