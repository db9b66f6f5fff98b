"""Figures by an operator's days."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from flow2api.domain.ports.statistics import Figures, Statistics
from flow2api.domain.ports.system import Clock
from flow2api.domain.statistics import Counts, Dimension, Scope, day_of, quarter_of, quarters_of, start_of

EVERYTHING = Scope()
MOST_DAYS = 1000
_FIRST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What was counted on one day of the operator's time zone."""

    day: date
    counts: Counts


class ReadStatistics:
    """Adds what is condensed already to what is still counted in quarter hours.

    Args:
        zone: The time zone whose days are shown.
    """

    def __init__(self, statistics: Statistics, clock: Clock, zone: Callable[[], tzinfo]) -> None:
        self._statistics = statistics
        self._clock = clock
        self._zone = zone

    @property
    def zone(self) -> tzinfo:
        """The time zone whose days are shown."""
        return self._zone()

    def today(self) -> date:
        """The day that it is there."""
        return day_of(self._clock.now(), self._zone())

    async def totals(self, by: Dimension | None = None, scope: Scope = EVERYTHING) -> Figures:
        """Everything since the beginning, told apart by account, key or model, or not at all (under ``""``)."""
        return await self._statistics.totals(by, scope)

    async def on(self, day: date, by: Dimension | None = None, scope: Scope = EVERYTHING) -> Figures:
        """What was counted on a day."""
        return await self.between(day, day, by, scope)

    async def between(self, first: date, last: date, by: Dimension | None = None, scope: Scope = EVERYTHING) -> Figures:
        """What was counted on these days, both ends included; no more than `MOST_DAYS` of them are looked at."""
        # There are no figures of the future nor of old times, and the calendar has ends.
        first, last = max(first, _FIRST), min(last, self.today() + timedelta(days=1))
        days = [first + timedelta(days=number) for number in range(min((last - first).days + 1, MOST_DAYS))]
        if not days:
            return {}
        quarters = self._quarters(days[0], days[-1])
        fine = await self._statistics.of_quarters(quarters, by, scope)
        condensed = await self._statistics.of_days([day.isoformat() for day in days], by, scope)
        return _merged(fine, condensed)

    async def days(self, count: int, scope: Scope = EVERYTHING) -> Sequence[DayFigures]:
        """The last days up to today, oldest first, those without anything included."""
        last = self.today()
        first = last - timedelta(days=min(max(count, 1), MOST_DAYS) - 1)
        zone, sums = self._zone(), defaultdict[date, Counts](Counts)
        for quarter, counts in (await self._statistics.by_quarter(self._quarters(first, last), scope)).items():
            sums[day_of(start_of(quarter), zone)] += counts
        condensed = await self._statistics.by_day(first.isoformat(), last.isoformat(), scope)
        for name, counts in condensed.items():
            sums[date.fromisoformat(name)] += counts
        every = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return [DayFigures(day, sums[day]) for day in every]

    async def quarters(self, since: datetime, scope: Scope = EVERYTHING) -> Mapping[datetime, Counts]:
        """What was counted in each quarter hour since a moment, by its beginning; those without anything are left out.

        After ten days quarter hours are condensed to days and found no more.
        """
        within = range(quarter_of(since), quarter_of(self._clock.now()) + 1)
        found = await self._statistics.by_quarter(within, scope)
        return {start_of(quarter): counts for quarter, counts in sorted(found.items())}

    def _quarters(self, first: date, last: date) -> range:
        zone = self._zone()
        return range(quarters_of(first, zone).start, quarters_of(last, zone).stop)


def _merged(fine: Figures, condensed: Figures) -> Figures:
    sums = dict(fine)
    for who, counts in condensed.items():
        sums[who] = sums.get(who, Counts()) + counts
    return sums
