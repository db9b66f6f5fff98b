"""The adapter of the Gemini API and a simulator, made ready for a test."""

import asyncio
from typing import Any

from flow2api.adapters.gemini.client import GeminiUpstream
from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import Operation, OperationStatus, Order, Product
from flow2api.domain.ports.upstream import Access, UploadedPicture
from flow2api.domain.secret import Secret
from flow2api.plugins import models_gemini
from flow2api.testing.simulator import SimAccount, SimulatorProcess
from tests.integration.flow.stage import HastyClock, jpeg

SPECS = {entry.name: entry for entry in models_gemini.register_models() if isinstance(entry, ModelSpec)}

PICTURE = SPECS["google-gemini-3.1-flash-image-16x9"]
VIDEO = SPECS["google-veo-3.1-fast-text-16x9-8s"]
FRAMES = SPECS["google-veo-3.1-fast-frames-16x9-8s"]
REFERENCES = SPECS["google-veo-3.1-fast-references-16x9-8s"]
EXTEND = SPECS["google-veo-3.1-fast-extend-16x9-7s"]
OMNI = SPECS["google-gemini-omni-1.2-flash-16x9-8s"]
EDIT = SPECS["google-gemini-omni-1.2-flash-edit-16x9-8s"]
IMAGEN = SPECS["google-imagen-4.0-generate-001-1x1"]


class GeminiStage:
    """The adapter on a simulator."""

    def __init__(self, simulator: SimulatorProcess, **settings: Any) -> None:
        self.simulator = simulator
        self.control = simulator.control
        self.clock = HastyClock()
        self.gemini = GeminiUpstream(self.clock, base_url=simulator.gemini_base_url, **settings)

    async def sign_in(self, **knobs: Any) -> tuple[SimAccount, Access]:
        """A new account that is ready for work."""
        account = await self.control.add_account(**knobs)
        exchanged = await self.gemini.exchange(Credentials(Secret(account.api_key)), None)
        access = Access(
            account_id=1,
            session_token=exchanged.credentials.session_token,
            access_token=exchanged.credentials.access_token,
            tier=Tier.FREE,
            workspace="default",
        )
        return account, access

    async def upload(self, access: Access) -> str:
        return await self.gemini.upload(access, UploadedPicture(jpeg(), "image/jpeg", 32, 18))

    async def finished(self, access: Access, operation: Operation) -> OperationStatus:
        """How an operation ends."""
        async with asyncio.timeout(30):
            while True:
                status = (await self.gemini.poll(access, [operation]))[operation.name]
                if status.is_final:
                    return status
                await asyncio.sleep(0.01)

    async def video(self, access: Access, order: Order) -> Product:
        """A video that was made."""
        operation, _ = await self.gemini.submit(access, order)
        status = await self.finished(access, operation)
        assert status.product is not None, status.error
        return status.product

    async def last_body(self, call: str) -> Any:
        """The body of the last request of this name."""
        return (await self.control.requests(call=call))[-1].body
