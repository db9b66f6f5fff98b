"""Accounts are taken in without holding anybody up."""

import asyncio
import gc
from itertools import pairwise

from flow2api.adapters.system import SystemClock
from flow2api.app.loading import load_accounts
from flow2api.domain.lease import AccountPool
from flow2api.plugins.coordination_memory import MemorySlots
from tests.factories import AccountFactory
from tests.fakes.storage import FakeStorage


async def test_others_have_their_turn_while_many_accounts_are_taken_in() -> None:
    storage, pool, turns = FakeStorage(), AccountPool(MemorySlots(), SystemClock()), list[int]()
    storage.tables.accounts.update({number: AccountFactory.build(id=number) for number in range(1, 501)})

    async def look() -> None:
        while True:
            turns.append(len(pool))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await load_accounts(storage.accounts, pool)
    looking.cancel()
    assert len(pool) == 500
    assert max(after - before for before, after in pairwise(turns)) <= 50
    assert gc.isenabled()
