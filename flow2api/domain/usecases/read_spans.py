"""Figures of a span up to now: step by step, by kind of media, and compared with the span before."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import TypeVar

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.statistics import Figures, Statistics, TellsModelsByTime
from flow2api.domain.ports.system import Clock
from flow2api.domain.statistics import Counts, Dimension, Scope, day_of, quarter_of, quarters_of, start_of
from flow2api.domain.usecases.read_statistics import EVERYTHING, ReadStatistics

K = TypeVar("K", int, str)
_MODEL = Dimension.MODEL


class Span(StrEnum):
    """How far figures go back."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def days(self) -> int:
        """How many whole days, today included; 0 for a span of hours."""
        return _DAYS.get(self, 0)

    @property
    def quarters(self) -> int:
        """How many quarter hours, that of now included; of a week those of its days."""
        return {Span.HOUR: 4, Span.DAY: 96}.get(self, self.days * 96)

    @property
    def step_quarters(self) -> int:
        """How many quarter hours make a step; a month goes by days."""
        return {Span.HOUR: 1, Span.DAY: 2, Span.WEEK: 24}.get(self, 96)


_DAYS = {Span.WEEK: 7, Span.MONTH: 30}


@dataclass(frozen=True, slots=True)
class ByKind:
    """Counts of what makes pictures, what makes videos, and what is neither known to (refused requests among it)."""

    images: Counts = field(default_factory=Counts)
    videos: Counts = field(default_factory=Counts)
    others: Counts = field(default_factory=Counts)

    @property
    def all(self) -> Counts:
        """All of them together."""
        return self.images + self.videos + self.others

    def __add__(self, other: "ByKind") -> "ByKind":
        return ByKind(self.images + other.images, self.videos + other.videos, self.others + other.others)


@dataclass(frozen=True, slots=True)
class SpanStep:
    """What was counted from a moment until the next step begins, or until now."""

    begins: datetime
    counts: ByKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanFigures:
    """Figures of a span.

    Attributes:
        steps: Oldest first, those without anything included.
        compared: The part that is as long as what is compared with it. Of hours that is all; of days, those that are over,
            for today is not.
        before: What was counted in the same time right before.
    """

    span: Span
    steps: Sequence[SpanStep]
    total: ByKind
    compared: ByKind
    before: ByKind


class ReadSpans:
    """Works with the quarter hours and days that are counted anyway, whatever the length of the request log.

    Args:
        kind_of: What a model makes; None when there is no such model (any more).
    """

    def __init__(
        self,
        statistics: Statistics,
        days: ReadStatistics,
        clock: Clock,
        kind_of: Callable[[str], MediaKind | None],
    ) -> None:
        self._statistics = statistics
        self._days = days
        self._clock = clock
        self._kind_of = kind_of

    async def figures(self, span: Span, scope: Scope = EVERYTHING) -> SpanFigures:
        """The figures of a span."""
        if span.days:
            return await self._of_days(span, scope)
        now = quarter_of(self._clock.now()) + 1
        counted = await self._by_quarter(range(now - 2 * span.quarters, now), scope)
        steps = self._steps(counted, range(now - span.quarters, now), span.step_quarters)
        total = _sum(step.counts for step in steps)
        before = _sum(counts for quarter, counts in counted.items() if quarter < now - span.quarters)
        return SpanFigures(span=span, steps=steps, total=total, compared=total, before=before)

    async def apart(self, span: Span, by: Dimension, scope: Scope = EVERYTHING) -> Figures:
        """The totals of a span by account, key or model; whatever has none is left out."""
        if span.days:
            today = self._days.today()
            return await self._days.between(today - timedelta(days=span.days - 1), today, by, scope)
        now = quarter_of(self._clock.now()) + 1
        return await self._statistics.of_quarters(range(now - span.quarters, now), by, scope)

    def today(self) -> date:
        """The day that it is where days are counted."""
        return self._days.today()

    async def on(self, day: date, by: Dimension | None = None) -> Figures:
        """The totals of a day by account, key or model, or of all (under ``""``)."""
        return await self._days.on(day, by)

    async def _of_days(self, span: Span, scope: Scope) -> SpanFigures:
        today, zone = self._days.today(), self._days.zone
        first = today - timedelta(days=span.days - 1)
        by_day = await self._by_day(first - timedelta(days=span.days - 1), today, scope)
        if span is Span.WEEK:
            quarters = range(quarters_of(first, zone).start, quarter_of(self._clock.now()) + 1)
            steps = self._steps(await self._by_quarter(quarters, scope), quarters, span.step_quarters)
        else:
            days = (first + timedelta(days=number) for number in range(span.days))
            steps = [SpanStep(_beginning(day, zone), by_day.get(day, ByKind())) for day in days]
        return SpanFigures(
            span=span,
            steps=steps,
            total=_sum(counts for day, counts in by_day.items() if day >= first),
            compared=_sum(counts for day, counts in by_day.items() if first <= day < today),
            before=_sum(counts for day, counts in by_day.items() if day < first),
        )

    def _steps(self, counted: Mapping[int, ByKind], quarters: range, width: int) -> Sequence[SpanStep]:
        starts = range(quarters.start, quarters.stop, width)
        sums = {start: ByKind() for start in starts}
        for quarter, counts in counted.items():
            if quarter in quarters:
                start = starts.start + (quarter - starts.start) // width * width
                sums[start] += counts
        return [SpanStep(start_of(start), counts) for start, counts in sums.items()]

    async def _by_quarter(self, quarters: range, scope: Scope) -> Mapping[int, ByKind]:
        if isinstance(self._statistics, TellsModelsByTime):
            return self._by_kind(await self._statistics.models_by_quarter(quarters, scope))
        models = (
            [scope.model] if scope.model is not None else await self._statistics.of_quarters(quarters, _MODEL, scope)
        )
        found: dict[tuple[int, str], Counts] = {}
        for model in map(str, models):
            counted = await self._statistics.by_quarter(quarters, _of_model(scope, model))
            found |= {(quarter, model): counts for quarter, counts in counted.items()}
        return self._by_kind(found)

    async def _by_day(self, first: date, last: date, scope: Scope) -> Mapping[date, ByKind]:
        zone = self._days.zone
        quarters = range(quarters_of(first, zone).start, quarters_of(last, zone).stop)
        sums = defaultdict[date, ByKind](ByKind)
        for quarter, counts in (await self._by_quarter(quarters, scope)).items():
            sums[day_of(start_of(quarter), zone)] += counts
        for name, counts in (await self._condensed(first, last, scope)).items():
            sums[date.fromisoformat(name)] += counts
        return sums

    async def _condensed(self, first: date, last: date, scope: Scope) -> Mapping[str, ByKind]:
        names = first.isoformat(), last.isoformat()
        if isinstance(self._statistics, TellsModelsByTime):
            return self._by_kind(await self._statistics.models_by_day(*names, scope))
        days = [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
        models = [scope.model] if scope.model is not None else await self._statistics.of_days(days, _MODEL, scope)
        found: dict[tuple[str, str], Counts] = {}
        for model in map(str, models):
            counted = await self._statistics.by_day(*names, _of_model(scope, model))
            found |= {(day, model): counts for day, counts in counted.items()}
        return self._by_kind(found)

    def _by_kind(self, found: Mapping[tuple[K, str], Counts]) -> Mapping[K, ByKind]:
        sums: dict[K, ByKind] = {}
        for (at, model), counts in found.items():
            here = self._as_kind(model, counts)
            sums[at] = sums[at] + here if at in sums else here
        return sums

    def _as_kind(self, model: str, counts: Counts) -> ByKind:
        """Counts of a model. Of one that is not there any more, what came of it tells what it made."""
        match self._kind_of(model):
            case MediaKind.IMAGE:
                return ByKind(images=counts)
            case MediaKind.VIDEO:
                return ByKind(videos=counts)
            case None if counts.images:
                return ByKind(images=counts)
            case None if counts.videos:
                return ByKind(videos=counts)
            case _:
                return ByKind(others=counts)


def _of_model(scope: Scope, model: str) -> Scope:
    return Scope(account_id=scope.account_id, key_id=scope.key_id, model=model)


def _beginning(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _sum(every: Iterable[ByKind]) -> ByKind:
    sums = ByKind()
    for counts in every:
        sums += counts
    return sums
