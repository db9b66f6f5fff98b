"""Figures of a span up to now, by kind of media, beside those of the span before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.statistics import Statistics, TellsModelsByTime
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.statistics import Dimension, Scope
from flow2api.domain.usecases.forget_records import ForgetRecords
from flow2api.domain.usecases.read_spans import ByKind, ReadSpans, Span
from flow2api.domain.usecases.read_statistics import ReadStatistics
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage

NOW = datetime(2026, 11, 23, 12, 7, tzinfo=UTC)
PAINT = LogEntry(
    NOW, "req", 1, "images", "paint", 7, "gen", "completed", None, 1500, MediaKind.IMAGE, results=4, waited_ms=500
)
FILM = replace(PAINT, model="film", kind=MediaKind.VIDEO, duration_ms=70_000, results=1, attempts=2, credits=20)
LOST = replace(FILM, state="failed", code="upstream_error", results=0)
REFUSED = replace(PAINT, state="refused", model="film", code="invalid_value", account_id=None, results=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class OneByOne:
    """Statistics that tell models apart one by one."""

    def __init__(self, statistics: Statistics) -> None:
        self.totals = statistics.totals
        self.of_quarters = statistics.of_quarters
        self.of_days = statistics.of_days
        self.by_quarter = statistics.by_quarter
        self.by_day = statistics.by_day
        self.oldest_quarter = statistics.oldest_quarter
        self.condense = statistics.condense
        self.forget_days = statistics.forget_days


class Desk:
    """Figures of spans in a zone that can be changed."""

    def __init__(self, *, is_plain: bool) -> None:
        self.clock = FakeClock(NOW)
        self.storage = FakeStorage(self.clock)
        self.zone: tzinfo = UTC
        statistics: Statistics = self.storage.statistics
        if is_plain:
            statistics = OneByOne(statistics)
        assert isinstance(statistics, TellsModelsByTime) is not is_plain
        kinds = {"paint": MediaKind.IMAGE, "film": MediaKind.VIDEO}
        days = ReadStatistics(statistics, self.clock, lambda: self.zone)
        self.read = ReadSpans(statistics, days, self.clock, kinds.get)

    def note(self, ago: timedelta, entry: LogEntry = PAINT) -> None:
        self.storage.journal.note(replace(entry, at=NOW - ago))

    async def condense(self) -> None:
        storage = self.storage
        forget = ForgetRecords(storage.request_log, storage.statistics, self.clock, Options, lambda: self.zone)
        await forget()


@pytest.fixture(params=[False, True], ids=["at one look", "one by one"])
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(is_plain=request.param)


async def test_hour_goes_by_quarters_and_is_compared_with_the_one_before(desk: Desk) -> None:
    for ago in (timedelta(0), HOUR / 2, HOUR, 2 * HOUR):
        desk.note(ago)

    found = await desk.read.figures(Span.HOUR)

    assert [(f"{step.begins:%H:%M}", step.counts.images.succeeded) for step in found.steps] == [
        ("11:15", 0), ("11:30", 1), ("11:45", 0), ("12:00", 1),
    ]  # fmt: skip
    assert (found.total.images.succeeded, found.before.images.succeeded) == (2, 1)
    assert found.compared == found.total


async def test_kinds_are_told_apart(desk: Desk) -> None:
    for entry in (PAINT, FILM, FILM, LOST, REFUSED):
        desk.note(HOUR, entry)

    total = (await desk.read.figures(Span.DAY)).total

    assert (total.images.succeeded, total.images.images, total.images.mean_wait_s) == (1, 4, 0.5)
    assert (total.videos.succeeded, total.videos.errors, total.videos.saved, total.videos.credits) == (2, 1, 2, 40)
    assert total.videos.percentile_s(0.5) == 90.0
    assert (total.others.refused, total.all.succeeded, total.all.success_rate) == (1, 3, 0.75)
    assert total.others.mean_wait_s is None


async def test_model_that_is_no_more_is_of_the_kind_of_what_it_made(desk: Desk) -> None:
    desk.note(HOUR, replace(PAINT, model="former"))
    desk.note(HOUR, replace(FILM, model="former film"))
    desk.note(HOUR, replace(LOST, model="former loss"))

    total = (await desk.read.figures(Span.DAY)).total

    assert (total.images.succeeded, total.videos.succeeded, total.others.errors) == (1, 1, 1)


async def test_day_goes_by_half_hours(desk: Desk) -> None:
    desk.note(timedelta(0))
    desk.note(30 * HOUR, FILM)

    found = await desk.read.figures(Span.DAY)

    assert len(found.steps) == 48
    assert found.steps[-1].counts.images.succeeded == 1
    assert found.before.videos.succeeded == 1


async def test_week_goes_by_quarters_of_days_and_compares_days_that_are_over(desk: Desk) -> None:
    desk.zone = ZoneInfo("Asia/Shanghai")
    for ago in (timedelta(0), DAY, 6 * DAY, 7 * DAY, 12 * DAY, 13 * DAY):
        desk.note(ago)
    await desk.condense()

    found = await desk.read.figures(Span.WEEK)

    assert found.steps[0].begins == datetime(2026, 11, 17, tzinfo=desk.zone)
    assert len(found.steps) == 28  # the last one began at 18:00
    assert sum(step.counts.images.succeeded for step in found.steps) == found.total.images.succeeded == 3
    assert (found.compared.images.succeeded, found.before.images.succeeded) == (2, 2)


async def test_month_goes_by_days_condensed_or_not(desk: Desk) -> None:
    for days in range(60):
        desk.note(days * DAY, FILM if days % 2 else PAINT)
    await desk.condense()

    found = await desk.read.figures(Span.MONTH)

    assert [step.counts.all.succeeded for step in found.steps] == [1] * 30
    assert found.steps[0].begins == datetime(2026, 10, 25, tzinfo=UTC)
    assert (found.total.images.succeeded, found.total.videos.succeeded) == (15, 15)
    assert (found.compared.all.succeeded, found.before.all.succeeded) == (29, 29)
    one = await desk.read.figures(Span.MONTH, Scope(model="film"))
    assert (one.total.images.succeeded, one.total.videos.succeeded) == (0, 15)


@pytest.mark.parametrize(("span", "found"), [(Span.HOUR, {7: 1}), (Span.DAY, {7: 1, 9: 1}), (Span.WEEK, {7: 2, 9: 1})])
async def test_totals_are_told_apart_by_whom(desk: Desk, span: Span, found: dict[int, int]) -> None:
    desk.note(timedelta(0))
    desk.note(3 * HOUR, replace(PAINT, account_id=9))
    desk.note(3 * DAY)

    figures = await desk.read.apart(span, Dimension.ACCOUNT)

    assert {who: counts.succeeded for who, counts in figures.items()} == found


@pytest.mark.parametrize("span", Span)
async def test_nothing_is_no_figure_but_every_step_is_there(desk: Desk, span: Span) -> None:
    found = await desk.read.figures(span)

    assert found.steps
    assert {step.counts for step in found.steps} == {found.total} == {found.before} == {ByKind()}
    assert found.total.all.success_rate is None
