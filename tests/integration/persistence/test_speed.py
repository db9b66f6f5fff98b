"""Many accounts, without holding the event loop. The bounds are wide: they tell batches from one by one.

What is measured is processor time, which does not depend on what else the machine does.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from flow2api.adapters.persistence.accounts import SLICE
from flow2api.domain.account import Credentials
from flow2api.domain.secret import Secret
from flow2api.testing.samples import account_of
from tests.integration.persistence.databases import storage_at

MANY = 10_000


@asynccontextmanager
async def longest_gap() -> AsyncIterator[list[float]]:
    """How long the event loop was held at most, in seconds of its thread."""
    gaps = [0.0]

    async def watch() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.001)
            gaps[0] = max(gaps[0], time.thread_time() - before)

    gc.collect()
    gc.disable()  # what pytest holds takes long to walk through, and is no matter of ours
    task = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    try:
        yield gaps
    finally:
        task.cancel()
        gc.enable()


async def test_ten_thousand_accounts_are_added_and_loaded_in_seconds(tmp_path: Path) -> None:
    storage = storage_at(tmp_path / "flow2api.db")
    await storage.open()
    now = datetime.now(UTC)
    secrets = Credentials(Secret("s" * 700), Secret("a" * 300), now + timedelta(hours=1), now)
    accounts = [(account_of(f"account {number}"), secrets) for number in range(MANY)]

    async with longest_gap() as gaps:
        began = time.process_time()
        await storage.accounts.add(accounts)
        added = time.process_time() - began
        began = time.process_time()
        count = sum([len(batch) async for batch in storage.accounts.load()])
        loaded = time.process_time() - began
        opened = sum([len(batch) async for batch in storage.vault.load()])

    await storage.aclose()
    assert count == opened == MANY
    assert added < 8, f"adding took {added:.1f} s"
    assert loaded < 4, f"loading took {loaded:.1f} s"
    # 15 ms here when nothing else runs; one batch of all of them would hold it for some 500.
    assert gaps[0] < 0.15, f"the loop was held for {gaps[0] * 1000:.0f} ms"


async def test_others_have_their_turn_while_accounts_and_tokens_are_loaded(tmp_path: Path) -> None:
    storage = storage_at(tmp_path / "flow2api.db")
    await storage.open()
    now = datetime.now(UTC)
    secrets = Credentials(Secret("s"), Secret("a"), now + timedelta(hours=1), now)
    await storage.accounts.add([(account_of(f"account {number}"), secrets) for number in range(600)])
    loaded, turns = 0, list[int]()

    async def look() -> None:
        while True:
            turns.append(loaded)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    async for accounts in storage.accounts.load():
        loaded += len(accounts)
    async for tokens in storage.vault.load():
        loaded += len(tokens)
    looking.cancel()
    await storage.aclose()

    assert loaded == 1200
    assert max(after - before for before, after in pairwise(turns)) <= SLICE
