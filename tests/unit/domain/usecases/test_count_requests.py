"""How many requests there were over the time of a filter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.request_log import CountsLines, RequestLog
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.request_log import STATES, LogFilter
from flow2api.domain.statistics import Scope
from flow2api.domain.usecases import count_requests
from flow2api.domain.usecases.count_requests import STEPS, CountRequests, LogValues, RequestCounts
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MADE = LogEntry(NOW, "req", 1, "images", "paint", 7, "gen", "completed", None, 1500, MediaKind.IMAGE, results=1)
LOST = replace(MADE, state="failed", code="upstream_error", results=0)


class Plain:
    """A request log that does not count."""

    def __init__(self, log: RequestLog) -> None:
        self.page, self.since, self.latest, self.get, self.forget = log.page, log.since, log.latest, log.get, log.forget


class Desk:
    """A log to count in."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.storage = FakeStorage(self.clock)
        self.count = CountRequests(self.storage.request_log, self.storage.statistics, self.clock)

    def note(self, ago: timedelta, entry: LogEntry = MADE) -> None:
        self.storage.journal.note(replace(entry, at=NOW - ago))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def filled(counts: RequestCounts) -> dict[str, tuple[int, int]]:
    return {f"{one.begins:%d %H:%M:%S}": (one.total, one.wrong) for one in counts.steps if one.total}


async def test_last_hour_goes_by_ninety_seconds(desk: Desk) -> None:
    for ago, entry in ((MINUTE, MADE), (MINUTE, LOST), (59 * MINUTE, MADE), (2 * HOUR, MADE)):
        desk.note(ago, entry)

    counts = await desk.count.by_time(LogFilter())

    assert (len(counts.steps), counts.step, counts.is_cut) == (STEPS, timedelta(seconds=90), False)
    assert filled(counts) == {"23 11:00:00": (1, 0), "23 11:58:30": (2, 1)}


async def test_span_of_the_filter_is_kept(desk: Desk) -> None:
    desk.note(3 * HOUR)
    desk.note(MINUTE)

    counts = await desk.count.by_time(LogFilter(since=NOW - 4 * HOUR, until=NOW - 2 * HOUR, account_id=7))

    assert filled(counts) == {"23 09:00:00": (1, 0)}


async def test_long_spans_are_taken_from_the_quarter_hours(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_requests, "MOST_LINES", 0)
    for state in STATES:
        desk.note(20 * HOUR, replace(MADE, state=state))
    desk.note(MINUTE)
    since = NOW - timedelta(days=1)

    every = await desk.count.by_time(LogFilter(since=since))
    refused = await desk.count.by_time(LogFilter(since=since, state="refused"))
    made = await desk.count.by_time(LogFilter(since=since, state="completed", key_id=1))

    assert every.step == timedelta(minutes=45)
    assert filled(every) == {"22 15:45:00": (4, 2), "23 11:15:00": (1, 0)}
    assert filled(refused) == {"22 15:45:00": (1, 1)}
    assert filled(made) == {"22 15:45:00": (1, 0), "23 11:15:00": (1, 0)}
    assert not every.is_cut


async def test_long_spans_of_what_no_figure_tells_are_counted_in_the_log(desk: Desk) -> None:
    desk.note(20 * HOUR, LOST)

    counts = await desk.count.by_time(LogFilter(since=NOW - timedelta(days=1), code="upstream_error"))

    assert sum(one.wrong for one in counts.steps) == 1


async def test_too_many_lines_are_cut_and_that_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_requests, "MOST_LINES", 2)
    for ago in range(3):
        desk.note(ago * MINUTE + MINUTE)

    counts = await desk.count.by_time(LogFilter())

    assert counts.is_cut
    assert sum(one.total for one in counts.steps) == 2


async def test_ten_days_are_looked_at_and_a_second_at_least(desk: Desk) -> None:
    long = await desk.count.by_time(LogFilter(since=NOW - timedelta(days=400)))
    assert long.steps[0].begins == NOW - timedelta(days=10)
    future = await desk.count.by_time(LogFilter(since=NOW + HOUR))
    assert filled(future) == {}


async def test_filter_that_cannot_be_is_refused(desk: Desk) -> None:
    with pytest.raises(UnsupportedInputError):
        await desk.count.by_time(LogFilter(state="odd"))


async def test_what_there_is_to_filter_by(desk: Desk) -> None:
    desk.note(MINUTE, LOST)
    desk.note(MINUTE, replace(MADE, key_id=2, model="film"))

    assert await desk.count.values() == LogValues(["film", "paint"], [1, 2], [7], ["upstream_error"])


async def test_log_that_does_not_count_leaves_it_to_the_figures(desk: Desk) -> None:
    log = Plain(desk.storage.request_log)
    assert not isinstance(log, CountsLines)
    desk.note(MINUTE, LOST)
    count = CountRequests(log, desk.storage.statistics, desk.clock)

    assert filled(await count.by_time(LogFilter())) == {"23 11:45:00": (1, 1)}
    assert await count.values() == LogValues((), (), (), ())


class Watched:
    """Figures, with the quarter hours that were asked for."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.asked: list[range] = []

    async def by_quarter(self, quarters: range, scope: Scope) -> Any:
        self.asked.append(quarters)
        return await self._inner.by_quarter(quarters, scope)


async def test_quarter_hours_that_are_over_are_read_once(desk: Desk) -> None:
    watched: Any = Watched(desk.storage.statistics)
    count = CountRequests(desk.storage.request_log, watched, desk.clock)
    desk.note(20 * HOUR)
    week, day = LogFilter(since=NOW - timedelta(days=7)), LogFilter(since=NOW - timedelta(days=1))

    whole = [filled(await count.by_time(week)), filled(await count.by_time(week))]
    desk.note(MINUTE)
    later = filled(await count.by_time(day))

    assert whole[0] == whole[1]
    assert [len(quarters) for quarters in watched.asked] == [672, 2, 2]
    assert later == {"22 15:45:00": (1, 0), "23 11:15:00": (1, 0)}


async def test_span_in_front_of_what_is_known_is_read_anew(desk: Desk) -> None:
    watched: Any = Watched(desk.storage.statistics)
    count = CountRequests(desk.storage.request_log, watched, desk.clock)
    desk.note(40 * HOUR)

    await count.by_time(LogFilter(since=NOW - timedelta(days=1)))
    past = await count.by_time(LogFilter(since=NOW - timedelta(days=2), until=NOW - timedelta(days=1)))

    assert sum(one.total for one in past.steps) == 1
    assert [len(quarters) for quarters in watched.asked] == [96, 96]


async def test_few_scopes_are_known_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_requests, "_SCOPES", 1)
    watched: Any = Watched(desk.storage.statistics)
    count = CountRequests(desk.storage.request_log, watched, desk.clock)

    for key_id in (1, 2, 1):
        await count.by_time(LogFilter(since=NOW - timedelta(days=1), key_id=key_id))

    assert [len(quarters) for quarters in watched.asked] == [96, 96, 96]
