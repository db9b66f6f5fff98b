"""The Flow adapter and a simulator, made ready for a test."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from PIL import Image

from flow2api.adapters.flow.client import FlowUpstream
from flow2api.adapters.flow.drift import DriftLog
from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import Operation, OperationStatus, Order, Product
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.plugins import models_flow
from flow2api.testing.simulator import SimAccount, SimulatorProcess

SPECS = {entry.name: entry for entry in models_flow.register_models() if isinstance(entry, ModelSpec)}
TIERS = {"PAYGATE_TIER_NOT_PAID": Tier.FREE, "PAYGATE_TIER_ONE": Tier.PRO, "PAYGATE_TIER_TWO": Tier.ULTRA}

PICTURE = SPECS["gemini-3.0-pro-image-landscape"]
VIDEO = SPECS["veo_3_1_t2v_fast_landscape"]
FRAMES = SPECS["veo_3_1_i2v_s_fast_fl"]
REFERENCES = SPECS["veo_3_1_r2v_fast"]
LARGER_PICTURE = SPECS["flow-upscale-image-landscape-2k"]
LARGER_VIDEO = SPECS["flow-upscale-video-landscape-1080p"]


class HastyClock:
    """Real time, in which nobody sleeps for long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(min(seconds, 0.01))


class FlowStage:
    """The adapter, in the era of the simulator that it talks to."""

    def __init__(self, simulator: SimulatorProcess, era: str, **settings: Any) -> None:
        self.simulator = simulator
        self.control = simulator.control
        self.era = era
        self.clock = HastyClock()
        self.flow = FlowUpstream(
            self.clock,
            labs_base_url=simulator.labs_base_url,
            api_base_url=simulator.api_base_url,
            era=era,
            **settings,
        )

    @property
    def drift(self) -> DriftLog:
        return self.flow._caller.drift

    async def sign_in(self, **knobs: Any) -> tuple[SimAccount, Access]:
        """A new account that is ready for work."""
        account = await self.control.add_account(**knobs)
        return account, await self.access_for(account)

    async def access_for(self, account: SimAccount, *, account_id: int = 1) -> Access:
        exchanged = await self.flow.exchange(Credentials(Secret(account.session_token)), None)
        access = Access(
            account_id=account_id,
            session_token=exchanged.credentials.session_token,
            access_token=exchanged.credentials.access_token,
            tier=TIERS[account.knobs.tier],
        )
        return replace(access, workspace=await self.flow.open_workspace(access, "test"))

    async def finished(self, access: Access, operation: Operation) -> OperationStatus:
        """How an operation ends."""
        async with asyncio.timeout(30):
            while True:
                status = (await self.flow.poll(access, [operation]))[operation.name]
                if status.is_final:
                    return status
                await asyncio.sleep(0.01)

    async def video(self, access: Access, order: Order) -> Product:
        """A video that was made."""
        operation, _ = await self.flow.submit(access, order)
        status = await self.finished(access, operation)
        assert status.product is not None, status.error
        return status.product

    async def last_body(self, call: str) -> Any:
        """The body of the last request of this name."""
        return (await self.control.requests(call=call))[-1].body


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    """Everything that comes."""
    return b"".join([chunk async for chunk in chunks])


def jpeg(width: int = 32, height: int = 18) -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "JPEG")
    return file.getvalue()
