"""What every upstream promises, asked of the fake and of Flow in both of its eras."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from flow2api.adapters.flow.payloads import TIER_WORDS
from flow2api.domain.account import Credentials, Tier
from flow2api.domain.secret import Secret
from flow2api.testing.contracts import Backstage, UpstreamContract
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.players import FakePlayer
from flow2api.testing.fakes.upstream import FakeUpstream
from flow2api.testing.simulator import SimulatorProcess
from tests.integration.flow.stage import (
    FRAMES,
    LARGER_PICTURE,
    LARGER_VIDEO,
    PICTURE,
    REFERENCES,
    SPECS,
    VIDEO,
    FlowStage,
)


class FakeBackstage(Backstage):
    """Behind the back of the fake, which is the service itself."""

    picture, video, frames, references, unserved = PICTURE, VIDEO, FRAMES, REFERENCES, SPECS["omni"]
    larger_picture, larger_video = LARGER_PICTURE, LARGER_VIDEO

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeUpstream(self.clock, unserved={self.unserved.name})
        self.upstream = self.fake

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int | None = None) -> Credentials:
        return self.fake.add_player(tier=tier, credits=self.credits if credit is None else credit).credentials

    async def revoke(self, credentials: Credentials) -> None:
        self._player(credentials).is_revoked = True

    async def kill_access(self, credentials: Credentials) -> None:
        self._player(credentials).kill_access_tokens()

    async def let_videos_take(self, seconds: float) -> None:
        self.fake.video_s = seconds

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def _player(self, credentials: Credentials) -> FakePlayer:
        token = credentials.session_token.reveal()
        return next(player for player in self.fake.players if token in player.session_tokens)


class FlowBackstage(Backstage):
    """Behind Flow's back, as the simulator plays it."""

    picture, video, frames, references = PICTURE, VIDEO, FRAMES, REFERENCES

    def __init__(self, simulator: SimulatorProcess, era: str) -> None:
        self.stage = FlowStage(simulator, era)
        self.upstream = self.stage.flow
        of_another_era = replace(VIDEO, wire={**VIDEO.wire, "keys": {"seed": "veo_3_1_t2v_fast"}})
        self.unserved = SPECS["omni"] if era == "seed" else of_another_era
        if era != "seed":
            self.larger_picture, self.larger_video = LARGER_PICTURE, LARGER_VIDEO
        self._ids: dict[str, str] = {}

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int | None = None) -> Credentials:
        credit = self.credits if credit is None else credit
        account = await self.stage.control.add_account(tier=TIER_WORDS[tier], credits=credit)
        self._ids[account.session_token] = account.id
        return Credentials(Secret(account.session_token))

    async def revoke(self, credentials: Credentials) -> None:
        await self.stage.control.patch_account(self._id(credentials), revoked="empty")

    async def kill_access(self, credentials: Credentials) -> None:
        await self.stage.control.kill_access_tokens(self._id(credentials))

    async def let_videos_take(self, seconds: float) -> None:
        await self.stage.control.configure(video_s=seconds)
        await self.stage.control.set_speed(0)

    async def pass_time(self, seconds: float) -> None:
        await self.stage.control.advance(seconds)

    def _id(self, credentials: Credentials) -> str:
        return self._ids[credentials.session_token.reveal()]


@pytest.fixture(scope="module")
def fake() -> Backstage:
    return FakeBackstage()


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["seed", "2026-06"])
async def flow(request: pytest.FixtureRequest) -> AsyncIterator[Backstage]:
    async with SimulatorProcess(era=request.param) as simulator:
        made = FlowBackstage(simulator, request.param)
        yield made
        await made.upstream.aclose()


class TestFakeUpstream(UpstreamContract):
    @pytest.fixture
    def backstage(self, fake: Backstage) -> Backstage:
        return fake


class TestFlowUpstream(UpstreamContract):
    @pytest.fixture
    def backstage(self, flow: Backstage) -> Backstage:
        return flow
