"""Credits are written down day by day, and read with what they come to."""

import asyncio
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from flow2api.domain.account import Account
from flow2api.domain.errors import StorageBusyError
from flow2api.domain.lease import AccountPool
from flow2api.domain.usecases.note_credits import EVERY_S, KEPT, NoteCredits
from flow2api.domain.usecases.read_credits import ReadCredits
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
DAY_S = 86_400.0


class Desk:
    """A pool whose credits are written down."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.zone: tzinfo = UTC
        self.pool = AccountPool(MemorySlots(), self.clock)
        self.storage = FakeStorage(self.clock)
        self.history = self.storage.credits_history
        self.notes = NoteCredits(self.pool, self.history, self.clock, lambda: self.zone)
        self.read = ReadCredits(self.pool, self.history, self.clock, lambda: self.zone)

    def put(self, number: int, left: int | None) -> None:
        self.pool.put(Account(id=number, upstream="flow", name="", created_at=NOW, credits=left))

    async def lefts(self, account_id: int | None = None, days: int = 3) -> list[int | None]:
        outlook = await (self.read.of_pool(days) if account_id is None else self.read.of_account(account_id, days))
        return [day.left for day in outlook.days]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_each_day_keeps_what_was_left_last(desk: Desk) -> None:
    for first, second in ((100, 50), (90, None), (70, 40)):
        desk.put(1, first)
        desk.put(2, second)
        await desk.notes.look()
        desk.clock.advance(DAY_S)
    desk.clock.advance(-DAY_S)

    assert await desk.lefts(1) == [100, 90, 70]
    assert await desk.lefts(2) == [50, 50, 40]
    assert await desk.lefts() == [150, 90, 110]
    assert await desk.lefts(3) == [None, None, None]
    assert await desk.lefts(1, days=0) == [70]


async def test_days_are_those_of_the_operator(desk: Desk) -> None:
    desk.zone = ZoneInfo("Asia/Shanghai")
    desk.put(1, 100)
    await desk.notes.look()

    outlook = await desk.read.of_account(1, 1)

    assert [(day.day, day.left) for day in outlook.days] == [(date(2026, 11, 24), 100)]


async def test_what_is_known_now_stands_for_today_and_the_pace_follows(desk: Desk) -> None:
    desk.put(1, 100)
    await desk.notes.look()
    desk.clock.advance(DAY_S)
    desk.put(1, 80)

    outlook = await desk.read.of_account(1, 2)

    assert [day.left for day in outlook.days] == [100, 80]
    assert outlook.forecast is not None
    assert outlook.forecast.dry_on == date(2026, 11, 28)


async def test_what_has_not_changed_is_not_written_again(desk: Desk) -> None:
    for number in range(1, 1203):
        desk.put(number, number)
    await desk.notes.look()
    assert desk.storage.tables.writes == 4  # three times some, and once what was forgotten

    desk.put(1, 999)
    await desk.notes.look()

    assert desk.storage.tables.writes == 6  # its own, and that of all together
    await desk.notes.look()
    assert desk.storage.tables.writes == 6
    assert (await desk.lefts(1, 1), await desk.lefts(2, 1)) == ([999], [2])


async def test_pool_of_which_nothing_is_known_has_no_history(desk: Desk) -> None:
    desk.put(1, None)
    await desk.notes.look()

    assert await desk.lefts() == [None, None, None]


async def test_what_is_old_is_forgotten_once_a_day(desk: Desk) -> None:
    old = NOW.date() - KEPT
    for number in range(3):
        await desk.history.note((old - timedelta(days=number)).isoformat(), dict.fromkeys(range(1, 401), 5))

    await desk.notes.look()

    assert await desk.history.forget(old.isoformat(), 9) == 0
    assert await desk.history.of(1, old.isoformat(), old.isoformat()) == {old.isoformat(): 5}
    writes = desk.storage.tables.writes
    await desk.notes.look()
    assert desk.storage.tables.writes == writes


async def test_database_that_refuses_is_given_it_the_next_time(desk: Desk) -> None:
    desk.put(1, 100)
    desk.storage.tables.fault = StorageBusyError("busy")
    await desk.notes.look()
    desk.storage.tables.fault = None

    await desk.notes.look()

    assert await desk.history.of(1, "2026-11-23", "2026-11-23") == {"2026-11-23": 100}


async def test_storage_without_a_history_knows_of_today(desk: Desk) -> None:
    desk.put(1, 100)
    await NoteCredits(desk.pool, None, desk.clock, lambda: UTC).look()
    outlook = await ReadCredits(desk.pool, None, desk.clock, lambda: UTC).of_account(1, 2)

    assert [day.left for day in outlook.days] == [None, 100]
    assert outlook.forecast is None


async def test_looks_every_quarter_of_an_hour(desk: Desk) -> None:
    desk.put(1, 100)
    running = asyncio.create_task(desk.notes.run())
    await desk.clock.sleep(EVERY_S + 1)
    desk.put(1, 60)
    await desk.clock.sleep(EVERY_S + 1)
    running.cancel()

    assert await desk.history.of(1, "2026-11-23", "2026-11-23") == {"2026-11-23": 60}
