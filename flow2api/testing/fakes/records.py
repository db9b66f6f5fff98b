"""The request log and the figures in memory."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.request_log import LineColumn, RequestLog, TimeCount
from flow2api.domain.ports.statistics import Figures, Statistics
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.request_log import LogFilter, LoggedRequest, LogPosition
from flow2api.domain.statistics import BOUNDS_S, CLASSES, Counts, Dimension, Scope, quarter_of

Who = tuple[int, int, str]


@dataclass
class Records:
    """What a journal has taken in. Tests may look into it."""

    lines: list[LoggedRequest] = field(default_factory=list)
    last: int = 0
    quarters: dict[tuple[int, Who], Counts] = field(default_factory=dict)
    days: dict[tuple[str, Who], Counts] = field(default_factory=dict)
    totals: dict[Who, Counts] = field(default_factory=dict)

    def take(self, entry: LogEntry) -> None:
        who = entry.account_id or 0, entry.key_id or 0, "" if entry.state == "refused" else entry.model
        counts = counts_of(entry)
        quarter = quarter_of(entry.at)
        self.quarters[quarter, who] = self.quarters.get((quarter, who), Counts()) + counts
        self.totals[who] = self.totals.get(who, Counts()) + counts
        if entry.status != 401:
            self.last += 1
            shared = set(LoggedRequest.__dataclass_fields__) - {"number", "kind"}
            values: dict[str, Any] = {name: getattr(entry, name) for name in shared}
            kind = None if entry.kind is None else entry.kind.value
            self.lines.append(LoggedRequest(number=self.last, kind=kind, **values))


def counts_of(entry: LogEntry) -> Counts:
    """What an entry adds to the figures."""
    match entry.state:
        case "completed":
            place = next((at for at, bound in enumerate(BOUNDS_S) if entry.duration_ms <= bound * 1000), CLASSES - 1)
            return Counts(
                images=entry.results if entry.kind is MediaKind.IMAGE else 0,
                videos=entry.results if entry.kind is MediaKind.VIDEO else 0,
                succeeded=1,
                duration_ms=entry.duration_ms,
                waited_ms=entry.waited_ms,
                saved=int(entry.attempts > 1),
                credits=entry.credits,
                took=tuple(int(at == place) for at in range(CLASSES)),
            )
        case "refused":
            return Counts(refused=1)
        case "cancelled":
            return Counts(cancelled=1)
        case _:
            return Counts(errors=1)


class FakeRequestLog:
    """Lines in memory."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def page(self, wanted: LogFilter, before: LogPosition | None, limit: int) -> Sequence[LoggedRequest]:
        found = sorted(self._matching(wanted), key=lambda line: (line.at, line.number), reverse=True)
        if before is not None:
            found = [line for line in found if (line.at, line.number) < (before.at, before.number)]
        return found[:limit]

    async def since(self, wanted: LogFilter, number: int, limit: int) -> Sequence[LoggedRequest]:
        return [line for line in self._matching(wanted) if line.number > number][:limit]

    async def latest(self) -> int:
        return max(0, *(line.number for line in self._records.lines), 0)

    async def get(self, number: int) -> LoggedRequest | None:
        return next((line for line in self._records.lines if line.number == number), None)

    async def count_lines(self, wanted: LogFilter, since: datetime, step: timedelta, most: int) -> Sequence[TimeCount]:
        newest = sorted(self._matching(wanted), key=lambda line: line.at, reverse=True)[:most]
        steps: dict[int, list[str]] = {}
        for line in newest:
            steps.setdefault((line.at - since) // step, []).append(line.state)
        return [
            TimeCount(
                number, len(states), sum(state in ("failed", "refused") for state in states), since + step * number
            )
            for number, states in sorted(steps.items())
        ]

    async def line_values(self, column: LineColumn, most: int) -> Sequence[str | int]:
        found = {getattr(line, column.value) for line in self._records.lines} - {None}
        return sorted(found)[:most]

    async def forget(self, before: datetime, limit: int) -> int:
        old = sorted((line for line in self._records.lines if line.at < before), key=lambda line: line.at)[:limit]
        gone = {id(line) for line in old}
        self._records.lines = [line for line in self._records.lines if id(line) not in gone]
        return len(old)

    def _matching(self, wanted: LogFilter) -> list[LoggedRequest]:
        return [replace(line, body=None) for line in self._records.lines if _meets(line, wanted)]


def _meets(line: LoggedRequest, wanted: LogFilter) -> bool:
    names = ("key_id", "account_id", "model", "state", "code")
    asked = {name: getattr(wanted, name) for name in names if getattr(wanted, name) is not None}
    starts = tuple(f"{prefix}{wanted.text or ''}" for prefix in ("", "req_", "gen_", "video_"))
    return (
        all(getattr(line, name) == value for name, value in asked.items())
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.until is None or line.at < wanted.until)
        and (not wanted.text or f"{line.request_id}".startswith(starts) or f"{line.generation_id}".startswith(starts))
    )


class FakeStatistics:
    """Figures in memory."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def totals(self, by: Dimension | None, scope: Scope) -> Figures:
        return _summed(((0, who), counts) for who, counts in self._records.totals.items())(_teller(by), scope)

    async def of_quarters(self, quarters: range, by: Dimension | None, scope: Scope) -> Figures:
        return _summed(self._in_quarters(quarters))(_teller(by), scope)

    async def of_days(self, days: Sequence[str], by: Dimension | None, scope: Scope) -> Figures:
        return _summed((at, counts) for at, counts in self._records.days.items() if at[0] in days)(_teller(by), scope)

    async def by_quarter(self, quarters: range, scope: Scope) -> Mapping[int, Counts]:
        return _summed(self._in_quarters(quarters))(lambda at: at[0], scope)

    async def by_day(self, first: str, last: str, scope: Scope) -> Mapping[str, Counts]:
        within = ((at, counts) for at, counts in self._records.days.items() if first <= at[0] <= last)
        return _summed(within)(lambda at: at[0], scope)

    async def models_by_quarter(self, quarters: range, scope: Scope) -> Mapping[tuple[int, str], Counts]:
        return _summed(self._in_quarters(quarters))(lambda at: (at[0], at[1][2]), scope)

    async def models_by_day(self, first: str, last: str, scope: Scope) -> Mapping[tuple[str, str], Counts]:
        within = ((at, counts) for at, counts in self._records.days.items() if first <= at[0] <= last)
        return _summed(within)(lambda at: (at[0], at[1][2]), scope)

    async def oldest_quarter(self) -> int | None:
        return min((quarter for quarter, _ in self._records.quarters), default=None)

    async def condense(self, quarters: range, day: str, limit: int) -> int:
        taken = sorted(at for at in self._records.quarters if at[0] in quarters)[:limit]
        for at in taken:
            counts = self._records.quarters.pop(at)
            self._records.days[day, at[1]] = self._records.days.get((day, at[1]), Counts()) + counts
        return len(taken)

    async def forget_days(self, before: str, limit: int) -> int:
        old = sorted(at for at in self._records.days if at[0] < before)[:limit]
        for at in old:
            del self._records.days[at]
        return len(old)

    def _in_quarters(self, quarters: range) -> Any:
        return ((at, counts) for at, counts in self._records.quarters.items() if at[0] in quarters)


def _teller(by: Dimension | None) -> Callable[[Any], Any]:
    place = {Dimension.ACCOUNT: 0, Dimension.KEY: 1, Dimension.MODEL: 2}
    return (lambda _: "") if by is None else (lambda at: at[1][place[by]])


def _summed(figures: Any) -> Callable[[Callable[[Any], Any], Scope], dict[Any, Counts]]:
    def told_apart(teller: Callable[[Any], Any], scope: Scope) -> dict[Any, Counts]:
        sums: defaultdict[Any, Counts] = defaultdict(Counts)
        for at, counts in figures:
            asked = zip((scope.account_id, scope.key_id, scope.model), at[1], strict=True)
            if all(wanted is None or wanted == here for wanted, here in asked):
                sums[teller(at)] += counts
        return dict(sums)

    return told_apart


def _are_ports(log: FakeRequestLog, statistics: FakeStatistics) -> tuple[RequestLog, Statistics]:
    return log, statistics
