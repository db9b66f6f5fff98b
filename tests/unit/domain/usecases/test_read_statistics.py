"""Figures by the operator's days, condensed or not."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from flow2api.domain.errors import StorageBusyError
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.statistics import Counts, Dimension, Scope
from flow2api.domain.usecases.forget_records import EVERY_S, FINE_DAYS, LONGEST_STEP_S, ForgetRecords
from flow2api.domain.usecases.read_statistics import ReadStatistics
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.records import FakeRequestLog
from flow2api.testing.fakes.storage import FakeStorage

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
MADE = LogEntry(NOW, "req", 1, "images", "paint", 7, "gen", "completed", None, 1500, MediaKind.IMAGE, results=1)


class Desk:
    """Statistics in a zone that can be changed."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.storage = FakeStorage(self.clock)
        self.zone: tzinfo = UTC
        self.options = Options()
        self.read = ReadStatistics(self.storage.statistics, self.clock, lambda: self.zone)
        self.forget = ForgetRecords(
            self.storage.request_log, self.storage.statistics, self.clock, lambda: self.options, lambda: self.zone
        )

    def note(self, at: datetime, entry: LogEntry = MADE) -> None:
        self.storage.journal.note(replace(entry, at=at))

    async def images(self, days: int) -> dict[str, int]:
        return {f"{one.day}": one.counts.images for one in await self.read.days(days) if one.counts}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("zone", "today", "yesterday"),
    [
        ("UTC", 3, 1),
        ("America/New_York", 3, 1),  # the 23rd began at 05:00 UTC
        ("Asia/Kolkata", 2, 2),  # it is the 24th, which began at 18:30 UTC
        ("Pacific/Chatham", 2, 2),  # it is the 24th, which began at 10:15 UTC
    ],
)
async def test_days_end_at_the_operators_midnight(desk: Desk, zone: str, today: int, yesterday: int) -> None:
    desk.zone = ZoneInfo(zone)
    for at in ("22T23:59:59", "23T05:00:00", "23T18:30:00", "23T19:59:59"):
        desk.note(datetime.fromisoformat(f"2026-11-{at}+00:00"))
    day = desk.read.today()

    counted = [(await desk.read.on(one))[""].images for one in (day, day - timedelta(days=1))]

    assert counted == [today, yesterday]
    assert list((await desk.images(2)).values()) == [yesterday, today]


async def test_day_of_a_change_of_the_clocks_has_all_its_hours(desk: Desk) -> None:
    desk.zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    for hour in range(25):
        desk.note(first + timedelta(hours=hour))

    assert (await desk.read.on(date(2026, 10, 25)))[""].images == 25
    assert await desk.read.on(date(2026, 10, 26)) == {}


async def test_figures_are_told_apart_and_restricted(desk: Desk) -> None:
    desk.note(NOW)
    desk.note(NOW, replace(MADE, account_id=9, key_id=2, model="film", kind=MediaKind.VIDEO))
    day = desk.read.today()

    assert {who: counts.succeeded for who, counts in (await desk.read.on(day, Dimension.MODEL)).items()} == {
        "paint": 1,
        "film": 1,
    }
    assert set(await desk.read.on(day, Dimension.ACCOUNT, Scope(key_id=2))) == {9}
    assert set(await desk.read.totals(Dimension.KEY)) == {1, 2}
    assert [one.counts.videos for one in await desk.read.days(1, Scope(account_id=9))] == [1]


async def test_days_without_anything_are_there_too(desk: Desk) -> None:
    desk.note(NOW)

    days = await desk.read.days(3)

    assert [(f"{one.day}", bool(one.counts)) for one in days] == [
        ("2026-11-21", False),
        ("2026-11-22", False),
        ("2026-11-23", True),
    ]


async def test_quarters_are_for_charts(desk: Desk) -> None:
    desk.note(NOW - timedelta(hours=2))
    desk.note(NOW)

    quarters = await desk.read.quarters(NOW - timedelta(hours=1))

    assert {at: counts.images for at, counts in quarters.items()} == {NOW: 1}


class TestCondensing:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"])
    async def test_changes_no_figure_of_any_day(self, desk: Desk, zone: str) -> None:
        desk.zone = ZoneInfo(zone)
        for hours in range(0, 20 * 24, 5):
            desk.note(NOW - timedelta(hours=hours), replace(MADE, account_id=hours % 3))
        before, by_account = (
            await desk.images(30),
            await desk.read.between(date(2026, 11, 1), date(2026, 11, 23), Dimension.ACCOUNT),
        )

        worked_off = await desk.forget()

        records = desk.storage.tables.records
        assert worked_off
        assert records.days
        assert await desk.images(30) == before
        assert await desk.read.between(date(2026, 11, 1), date(2026, 11, 23), Dimension.ACCOUNT) == by_account
        oldest = await desk.storage.statistics.oldest_quarter()
        assert oldest is not None
        assert len(records.quarters) >= FINE_DAYS * 4
        assert await desk.forget() == 0

    async def test_another_zone_counts_nothing_twice_and_loses_nothing(self, desk: Desk) -> None:
        for hours in range(0, 20 * 24, 5):
            desk.note(NOW - timedelta(hours=hours))
        await desk.forget()
        desk.zone = ZoneInfo("Asia/Kathmandu")
        await desk.forget()

        assert sum((await desk.images(30)).values()) == 96


class TestForgetting:
    async def test_log_goes_back_as_far_as_the_operator_wants(self, desk: Desk) -> None:
        for days in range(40):
            desk.note(NOW - timedelta(days=days))

        await desk.forget()
        assert len(desk.storage.tables.records.lines) == 31
        desk.options = replace(desk.options, log_days=7)
        await desk.forget()
        assert len(desk.storage.tables.records.lines) == 8
        assert (await desk.read.totals())[""].images == 40

    async def test_nothing_is_forgotten_when_the_operator_keeps_all(self, desk: Desk) -> None:
        desk.options = replace(desk.options, log_days=0, statistics_days=0)
        desk.note(NOW - timedelta(days=3000))

        await desk.forget()

        assert len(desk.storage.tables.records.lines) == 1
        assert len(desk.storage.tables.records.days) == 1

    async def test_days_go_but_totals_stay(self, desk: Desk) -> None:
        desk.note(NOW - timedelta(days=500))
        desk.note(NOW - timedelta(days=300))

        await desk.forget()

        assert [day for day, _ in desk.storage.tables.records.days] == ["2026-01-27"]
        assert (await desk.read.totals())[""] == Counts(
            images=2, succeeded=2, duration_ms=3000, took=(0, 0, 2, *[0] * 9)
        )

    async def test_goes_in_steps_with_pauses_that_adapt_to_the_disk(self, desk: Desk) -> None:
        for number in range(3000):
            desk.note(NOW - timedelta(days=31, seconds=number))
        limits: list[int] = []
        forget = desk.storage.request_log.forget

        async def slow(before: datetime, limit: int) -> int:
            limits.append(limit)
            desk.clock.advance(0.0002 * limit)
            return await forget(before, limit)

        desk.storage.request_log.forget = slow  # type: ignore[method-assign]
        await desk.forget()

        assert sum(limits) >= 3000
        assert all(0.0002 * limit <= 0.011 for limit in limits[3:])
        assert len([pause for pause in desk.clock.slept if pause > 0]) >= len(limits) - 1


async def test_days_that_end_before_they_begin_have_nothing(desk: Desk) -> None:
    desk.note(NOW)
    today = desk.read.today()

    assert await desk.read.between(today, today - timedelta(days=1)) == {}
    assert desk.read.zone is UTC


class TestForEver:
    async def test_old_records_go_every_half_hour_though_the_database_refuses_once(self, desk: Desk) -> None:
        class Refusing(FakeRequestLog):
            async def forget(self, before: datetime, limit: int) -> int:
                rounds.append(desk.clock.monotonic())
                if len(rounds) == 1:
                    raise StorageBusyError("The database is locked.")
                if len(rounds) == 3:
                    raise asyncio.CancelledError
                return await super().forget(before, limit)

        rounds: list[float] = []
        log = Refusing(desk.storage.tables.records)
        forget = ForgetRecords(log, desk.storage.statistics, desk.clock, lambda: desk.options, lambda: desk.zone)
        with pytest.raises(asyncio.CancelledError):
            await forget.run()
        assert rounds == [0.0, EVERY_S, 2 * EVERY_S]

    async def test_steps_that_take_long_become_smaller(self, desk: Desk) -> None:
        class Slow(FakeRequestLog):
            async def forget(self, before: datetime, limit: int) -> int:
                limits.append(limit)
                desk.clock.advance(10 * LONGEST_STEP_S)
                return await super().forget(before, limit)

        limits: list[int] = []
        for number in range(2000):
            desk.note(NOW - timedelta(days=400, seconds=number))
        log = Slow(desk.storage.tables.records)
        await ForgetRecords(log, desk.storage.statistics, desk.clock, lambda: desk.options, lambda: desk.zone)()
        assert limits[0] > limits[-1]
        assert limits == sorted(limits, reverse=True)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
async def test_ends_of_the_calendar_have_nothing(desk: Desk, zone: str) -> None:
    desk.zone = ZoneInfo(zone)
    desk.note(NOW)

    assert await desk.read.on(date.min) == await desk.read.on(date.max) == {}
    assert (await desk.read.between(date.min, date.min + timedelta(days=1))) == {}
