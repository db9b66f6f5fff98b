"""The adapter for OpenAI-compatible hosts and a simulator that plays one, made ready for a test."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from flow2api.adapters.openai_media.client import OpenAiMediaUpstream
from flow2api.adapters.openai_media.model_records import ModelRecord, entries_of
from flow2api.domain.account import Credentials
from flow2api.domain.catalog import Mode, ModelSpec
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.generation import Operation, OperationStatus
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.testing.simulator import SimAccount, SimulatorProcess
from tests.integration.flow.stage import HastyClock

RECORDS = (
    ModelRecord(name="host-pixel", id="pixel-1", kind="image", sizes=("512x512",), price_usd=0.01, max_images=4, seed=True),
    ModelRecord(
        name="host-gpt", id="gpt-image-1.5", kind="image", sizes=("512x512",), price_usd=0.034, max_images=16, masks=True,
        extra={"quality": "medium"},
    ),
    ModelRecord(
        name="host-free", id="pixel-1", kind="image", sizes=("512x512",), price_usd=0, response_format="b64_json"
    ),
    ModelRecord(
        name="host-longer", id="film-1", kind="video", sizes=("1280x720",), seconds=(8,), price_usd=0.005, extends=True
    ),
    ModelRecord(
        name="host-film", id="film-1", kind="video", sizes=("1280x720",), seconds=(4,), price_usd=0.005, max_images=2
    ),
)  # fmt: skip
SPECS = {entry.name: entry for record in RECORDS for entry in entries_of(record) if isinstance(entry, ModelSpec)}
PICTURE, GPT, FREE, VIDEO = SPECS["host-pixel"], SPECS["host-gpt"], SPECS["host-free"], SPECS["host-film"]
LONGER = SPECS["host-longer"]
UNSERVED = replace(VIDEO, name="host-frames", mode=Mode.FRAMES)


class NoFetcher:
    """Fetches from nowhere, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, url: str, *, param: str) -> bytes:
        self.asked.append(url)
        raise UnsupportedInputError("Nothing is fetched here.", param=param, code="invalid_image_url")


class HostStage:
    """The adapter, and accounts of the host that it talks to."""

    def __init__(self, simulator: SimulatorProcess, **settings: Any) -> None:
        self.simulator = simulator
        self.control = simulator.control
        self.clock = HastyClock()
        self.fetcher = NoFetcher()
        self.host = OpenAiMediaUpstream(self.clock, self.fetcher, **settings)

    def credentials(self, key: str) -> Credentials:
        return Credentials(Secret(key), base_url=self.simulator.openai_base_url)

    async def sign_in(self, **knobs: Any) -> tuple[SimAccount, Access]:
        """A new account that is ready for work."""
        account = await self.control.add_account(**knobs)
        exchanged = await self.host.exchange(self.credentials(account.api_key), None)
        access = Access(
            account_id=1,
            session_token=exchanged.credentials.session_token,
            access_token=exchanged.credentials.access_token,
            tier=(await self.host.allowance(self.access(account))).tier,
            base_url=exchanged.credentials.base_url,
        )
        return account, replace(access, workspace=await self.host.open_workspace(access, "test"))

    def access(self, account: SimAccount) -> Access:
        key = Secret(account.api_key)
        base_url = self.simulator.openai_base_url
        return Access(account_id=1, session_token=key, access_token=key, tier=UNSERVED.min_tier, base_url=base_url)

    async def finished(self, access: Access, operation: Operation) -> OperationStatus:
        """How an operation ends."""
        async with asyncio.timeout(30):
            while True:
                status = (await self.host.poll(access, [operation]))[operation.name]
                if status.is_final:
                    return status
                await asyncio.sleep(0.01)


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    """Everything that comes."""
    return b"".join([chunk async for chunk in chunks])
