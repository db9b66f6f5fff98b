"""Accounts are taken in without holding anybody up."""

import asyncio
import gc
from dataclasses import replace
from itertools import pairwise

import pytest

from flow2api.adapters.system import SystemClock
from flow2api.app.loading import Growth, filling, load_accounts
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
    assert max(after - before for before, after in pairwise(turns)) <= 20


def test_nothing_is_collected_while_memory_is_filled() -> None:
    pool = AccountPool(MemorySlots(), SystemClock())
    with filling(pool):
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="stop"), filling(pool):
        raise ValueError("stop")
    assert gc.isenabled()


def test_accounts_that_come_later_are_left_alone_by_the_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, frozen = AccountPool(MemorySlots(), SystemClock()), list[int]()
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(len(pool)))
    account = AccountFactory.build(id=1)
    pool.put(account)
    Growth(pool)
    for number in range(1, 5000):
        pool.put(replace(account, id=number))
    assert frozen == [2001, 4001]
    for number in range(1, 5000):
        pool.put(replace(account, id=number, remark="changed"))
    assert frozen == [2001, 4001]
    for number in range(1000, 5000):
        pool.remove(number)
    pool.put(replace(account, remark="changed again"))
    for number in range(1000, 3000):
        pool.put(replace(account, id=number))
    assert frozen == [2001, 4001, 2999]
