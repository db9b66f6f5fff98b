"""Policies are tried beside the running server: one simulation at a time, and none that nobody waits for any more."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta

import pytest

from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.errors import ConflictError, UnsupportedInputError
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import PastRequest
from flow2api.domain.selection import SelectionPolicy
from flow2api.domain.usecases.simulate_policies import SimulatePolicies
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import FillFirst, RoundRobin
from flow2api.testing.factories import AccountFactory, picture_spec
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage

YESTERDAY = (START - timedelta(days=1)).date()


class Past:
    """So many requests, one a batch, when the gate is open."""

    def __init__(self, count: int) -> None:
        self.count, self.given = count, 0
        self.asked: list[datetime] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[PastRequest]]:
        self.asked.append(start)
        for number in range(self.count):
            await self.gate.wait()
            self.given += 1
            yield [PastRequest(start + timedelta(seconds=number), "paint", 1, None, 1.0)]


class Threads:
    """Which threads policies were made in."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def round_robin(self) -> SelectionPolicy:
        self.names.append(threading.current_thread().name)
        return RoundRobin()


def simulate(past: Past, threads: Threads) -> SimulatePolicies:
    storage = FakeStorage(FakeClock())
    storage.tables.accounts.update({number: AccountFactory.build(id=number) for number in (1, 2)})
    return SimulatePolicies(
        storage.accounts,
        past,
        ModelCatalog([picture_spec()]),
        {"round_robin": threads.round_robin, "fill_first": FillFirst},
        MemorySlots,
        lambda key_id: None,
        Options,
        FakeClock(),
    )


async def test_policies_stand_side_by_side_and_are_tried_in_another_thread() -> None:
    past, threads = Past(6), Threads()
    day, replays = await simulate(past, threads)()

    assert (day, [one.policy for one in replays]) == (YESTERDAY, ["fill_first", "round_robin"])
    assert [(one.served, one.most) for one in replays] == [(6, 6), (6, 3)]
    assert threads.names != [threading.main_thread().name]


async def test_named_ones_are_tried_once_each_on_the_day_that_is_asked_for() -> None:
    past = Past(1)
    day, replays = await simulate(past, Threads())(date(2026, 1, 2), ["round_robin", "round_robin"])

    assert (day, len(replays), past.asked[0].isoformat()) == (date(2026, 1, 2), 1, "2026-01-02T00:00:00+00:00")


async def test_day_without_requests_is_looked_at_once() -> None:
    past = Past(0)
    _, replays = await simulate(past, Threads())()

    assert ([one.requests for one in replays], len(past.asked)) == ([0], 1)


async def test_second_one_has_to_wait_for_the_first() -> None:
    past = Past(1)
    past.gate.clear()
    tried = simulate(past, Threads())
    first = asyncio.create_task(tried())
    while not past.asked:
        await asyncio.sleep(0)

    with pytest.raises(ConflictError):
        await tried()
    past.gate.set()
    await first
    await tried()


async def test_one_that_nobody_waits_for_ends_with_its_next_batch() -> None:
    past = Past(1000)
    past.gate.clear()
    task = asyncio.create_task(simulate(past, Threads())())
    while not past.asked:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    past.gate.set()
    await asyncio.get_running_loop().shutdown_default_executor()

    assert past.given <= 2


async def test_unknown_policy_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnsupportedInputError, match=r"there are fill_first, round_robin\. Did you mean 'round_robin'"):
        await simulate(Past(1), Threads())(names=["round_robbin"])
    with pytest.raises(UnsupportedInputError, match=r"round_robin\.$"):
        await simulate(Past(1), Threads())(names=["###"])


async def test_day_that_is_still_to_come_is_refused() -> None:
    for day in (START.date() + timedelta(days=1), date.max):
        with pytest.raises(UnsupportedInputError, match="still to come"):
            await simulate(Past(1), Threads())(day)
