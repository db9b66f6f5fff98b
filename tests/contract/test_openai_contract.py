"""What every upstream promises, asked of OpenAI-compatible hosts, as the simulator plays one."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from flow2api.domain.account import Credentials, Tier
from flow2api.testing.contracts import Backstage, UpstreamContract
from flow2api.testing.contracts.backstage import Offer
from flow2api.testing.simulator import SimulatorProcess
from tests.integration.openai_media.stage import PICTURE, UNSERVED, VIDEO, HostStage


class HostBackstage(Backstage):
    """Behind the host's back. It tells neither plan nor what is left, and keeps pictures under no name."""

    picture, video, frames, references, unserved = PICTURE, VIDEO, VIDEO, VIDEO, UNSERVED
    offers = frozenset({Offer.UPLOADS, Offer.THUMBNAILS, Offer.LATE_FAILURES})

    def __init__(self, simulator: SimulatorProcess) -> None:
        self.stage = HostStage(simulator)
        self.upstream = self.stage.host
        self._ids: dict[str, str] = {}

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int | None = None) -> Credentials:
        account = await self.stage.control.add_account(credits=self.credits if credit is None else credit)
        self._ids[account.api_key] = account.id
        return self.stage.credentials(account.api_key)

    def made_up(self, secret: str) -> Credentials:
        return self.stage.credentials(secret)

    async def revoke(self, credentials: Credentials) -> None:
        key = credentials.session_token.reveal()
        await self.stage.control.patch_account(self._ids[key], revoked="unauthorized")

    async def let_videos_take(self, seconds: float) -> None:
        await self.stage.control.configure(video_s=seconds)
        await self.stage.control.set_speed(0)

    async def pass_time(self, seconds: float) -> None:
        await self.stage.control.advance(seconds)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def host() -> AsyncIterator[Backstage]:
    async with SimulatorProcess() as simulator:
        made = HostBackstage(simulator)
        yield made
        await made.upstream.aclose()


class TestOpenAiMediaUpstream(UpstreamContract):
    @pytest.fixture
    def backstage(self, host: Backstage) -> Backstage:
        return host
