"""Processes wake each other; what is lost is found a second later."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flow2api.domain.generation import Finished
from flow2api.domain.usecases.relay_events import CHANGED, ENDED, RelayEvents, set_within
from flow2api.testing.fakes.coordination import FakeCoordination, Meeting
from flow2api.testing.fakes.virtual_time import VirtualClock, settle
from tests.unit.domain.usecases.stage import PAINT, Stage, World
from tests.unit.domain.usecases.test_follow_changes import following
from tests.unit.domain.usecases.test_generate import once


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


@asynccontextmanager
async def running(*loops: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(loop()) for loop in loops]
    await settle()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def relay_at(meeting: Meeting) -> RelayEvents:
    return RelayEvents(FakeCoordination(meeting), VirtualClock())


async def test_what_one_tells_every_one_hears(meeting: Meeting) -> None:
    here, there = relay_at(meeting), relay_at(meeting)
    heard: list[str] = []
    here.on(CHANGED, lambda about: heard.append(f"here {about}"))
    there.on(CHANGED, lambda about: heard.append(f"there {about}"))
    there.on(ENDED, lambda about: heard.append(f"ended {about}"))
    async with running(here.run, there.run):
        here.tell(CHANGED, "process-1")
        await settle()

    assert sorted(heard) == ["here process-1", "there process-1"]


async def test_what_waits_already_is_published_once(meeting: Meeting) -> None:
    here = relay_at(meeting)
    async with running(here.run):
        for _ in range(100):
            here.tell(CHANGED, "process-1")
        await settle()

    assert meeting.calls["publish"] == 1


async def test_what_nobody_publishes_does_not_pile_up(meeting: Meeting) -> None:
    here = relay_at(meeting)
    for number in range(20_000):
        here.tell(ENDED, f"gen_{number}")

    async with running(here.run):
        await VirtualClock().sleep(1)
        await settle(50_000)

    assert meeting.calls["publish"] == 10_000


async def test_who_expects_an_event_is_woken_by_that_one_only(meeting: Meeting) -> None:
    here, there = relay_at(meeting), relay_at(meeting)
    async with running(here.run, there.run):
        with there.expecting(ENDED, "gen_1") as news, there.expecting(ENDED, "gen_1") as second:
            here.tell(ENDED, "gen_2")
            here.tell(CHANGED, "gen_1")
            await settle()
            assert not news.is_set()
            here.tell(ENDED, "gen_1")
            await settle()
            assert news.is_set()
            assert second.is_set()

    assert there._expected == {}


async def test_lost_connection_is_told_once_and_begun_again(meeting: Meeting, caplog: pytest.LogCaptureFixture) -> None:
    here, there = relay_at(meeting), relay_at(meeting)
    heard: list[str] = []
    there.on(CHANGED, heard.append)
    clock = VirtualClock()
    async with running(here.run, there.run):
        meeting.lose(ConnectionError("gone"))
        for number in range(5):
            here.tell(CHANGED, f"lost {number}")
            await clock.sleep(2)
        assert [record.__dict__["call"] for record in caplog.records] == ["listen", "listen", "publish"]
        meeting.fault = None
        await clock.sleep(2)
        here.tell(CHANGED, "found")
        await settle()

    assert heard == ["found"]
    assert [record.message for record in caplog.records[3:]] == ["processes wake each other again"] * 3


async def test_listening_that_ends_is_begun_again(meeting: Meeting) -> None:
    here = relay_at(meeting)
    heard: list[str] = []
    here.on(CHANGED, heard.append)
    async with running(here.run):
        for over in meeting.listeners.values():
            over.set_result(None)
        await VirtualClock().sleep(1.5)
        here.tell(CHANGED, "x")
        await settle()

    assert heard == ["x"]


async def test_waiting_ends_with_the_event_or_with_the_time() -> None:
    clock, news = VirtualClock(), asyncio.Event()
    asyncio.get_running_loop().call_later(0.25, news.set)

    await set_within(news, 1.0)
    assert (clock.monotonic(), news.is_set()) == (0.25, False)
    await set_within(news, 1.0)
    assert clock.monotonic() == 1.25


async def test_change_of_another_process_is_taken_in_when_it_is_told() -> None:
    stage, news = Stage(), asyncio.Event()
    follow = await following(stage, news=news)
    async with running(follow.run):
        await stage.clock.sleep(5.5)
        await Stage(stage.world).account()
        changed_at = stage.clock.monotonic()
        news.set()
        while not len(stage.pool):
            await stage.clock.sleep(0.01)

    assert stage.clock.monotonic() - changed_at < 0.2


async def test_many_wake_ups_read_the_feed_ten_times_a_second_at_most() -> None:
    stage, news, looks = Stage(), asyncio.Event(), list[float]()
    follow = await following(stage, news=news)

    async def look() -> None:
        looks.append(stage.clock.monotonic())

    follow.catch_up = look  # type: ignore[method-assign]
    async with running(follow.run):
        for _ in range(300):
            news.set()
            await stage.clock.sleep(0.01)

    assert 25 <= len(looks) <= 31


async def test_end_of_a_generation_of_another_process_is_heard(meeting: Meeting) -> None:
    world = World()
    there = relay_at(meeting)
    here = relay_at(meeting)
    one, two = Stage(world, relay=here), Stage(world, relay=there)
    one.work.subscribe(lambda ended: here.tell(ENDED, ended.id))
    await one.accounts(1)
    await two.load()
    gate = world.upstream.hold("produce")
    async with running(here.run, there.run):
        working = asyncio.create_task(one.all_events(PAINT, idempotency=once()))
        await settle()
        waiting = asyncio.create_task(two.all_events(PAINT, idempotency=once()))
        await one.clock.sleep(7.3)
        ended_at = one.clock.monotonic()
        gate.set()
        assert isinstance((await waiting)[-1], Finished)
        assert one.clock.monotonic() - ended_at < 0.1
        await working


async def test_end_that_nobody_tells_is_found_within_a_second(meeting: Meeting) -> None:
    world = World()
    one, two = Stage(world), Stage(world, relay=relay_at(meeting))
    await one.accounts(1)
    await two.load()
    gate = world.upstream.hold("produce")
    working = asyncio.create_task(one.all_events(PAINT, idempotency=once()))
    await settle()
    waiting = asyncio.create_task(two.all_events(PAINT, idempotency=once()))
    await one.clock.sleep(7.3)
    ended_at = one.clock.monotonic()
    gate.set()
    assert isinstance((await waiting)[-1], Finished)
    assert one.clock.monotonic() - ended_at <= 1.0
    await working
