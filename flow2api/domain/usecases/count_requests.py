"""How many requests there were over the time of a filter, and what there is to filter by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flow2api.domain.generation import State
from flow2api.domain.ports.request_log import CountsLines, LineColumn, RequestLog, TimeCount
from flow2api.domain.ports.statistics import Statistics
from flow2api.domain.ports.system import Clock
from flow2api.domain.request_log import REFUSED, STATES, LogFilter
from flow2api.domain.statistics import QUARTER_S, Counts, Scope, quarter_of, start_of
from flow2api.domain.usecases.read_request_log import checked

USUAL_SPAN = timedelta(hours=1)
STEPS = 40
MOST_LINES = 50_000
MOST_VALUES = 200

_UNSETTLED = 2
"""How many of the last quarter hours may still get more: what has ended is written down some time later."""
_MOST_KEPT = 1000
_SCOPES = 32

_LONG = timedelta(hours=12)
_LONGEST = timedelta(days=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCounts:
    """Requests by time.

    Attributes:
        steps: Oldest first, those without any included.
        step: How long each of them is.
        is_cut: Whether there were so many that only the newest were counted, so that the first steps show too few.
    """

    steps: Sequence[TimeCount]
    step: timedelta
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class LogValues:
    """What the lines of the log have, of each at most `MOST_VALUES`; sorted."""

    models: Sequence[str]
    key_ids: Sequence[int]
    account_ids: Sequence[int]
    codes: Sequence[str]
    states: Sequence[str] = STATES


@dataclass(frozen=True, slots=True)
class _Known:
    """What was counted in quarter hours that are over; one without anything is not named."""

    quarters: range
    counts: Mapping[int, Counts]


_NOTHING_KNOWN = _Known(range(0), {})


class CountRequests:
    """Counts lines where few are looked at, and takes the figures of quarter hours where they tell the same."""

    def __init__(self, request_log: RequestLog, statistics: Statistics, clock: Clock) -> None:
        self._log = request_log if isinstance(request_log, CountsLines) else None
        self._statistics = statistics
        self._clock = clock
        self._known: dict[Scope, _Known] = {}

    async def by_time(self, wanted: LogFilter) -> RequestCounts:
        """How many pass the filter, over its span; without one, over the last hour. Ten days at most are looked at.

        Raises:
            UnsupportedInputError: The filter asks for what cannot be.
        """
        wanted = checked(wanted)
        until = wanted.until or self._clock.now()
        since = max(wanted.since or until - USUAL_SPAN, until - _LONGEST)
        since = min(since, until - timedelta(seconds=1))
        is_long = until - since >= _LONG
        if self._log is None or (is_long and not (wanted.text or wanted.code or wanted.model)):
            return await self._of_quarters(wanted, since, until)
        step = (until - since) / STEPS
        within = replace(wanted, since=since, until=until)
        found = {count.number: count for count in await self._log.count_lines(within, since, step, MOST_LINES)}
        steps = [_at(found, number, since + step * number) for number in range(STEPS)]
        is_cut = sum(count.total for count in found.values()) >= MOST_LINES
        return RequestCounts(steps=steps, step=step, is_cut=is_cut)

    async def values(self) -> LogValues:
        """What there is to filter by."""
        if self._log is None:
            return LogValues((), (), (), ())
        found = [await self._log.line_values(column, MOST_VALUES) for column in LineColumn]
        models, keys, accounts, codes = found
        return LogValues(
            [str(one) for one in models],
            [int(one) for one in keys],
            [int(one) for one in accounts],
            [str(one) for one in codes],
        )

    async def _of_quarters(self, wanted: LogFilter, since: datetime, until: datetime) -> RequestCounts:
        quarters = range(quarter_of(since), quarter_of(until - timedelta(microseconds=1)) + 1)
        width = -(-len(quarters) // STEPS)
        scope = Scope(account_id=wanted.account_id, key_id=wanted.key_id, model=wanted.model)
        totals, wrongs = dict[int, int](), dict[int, int]()
        for quarter, counts in (await self._by_quarter(quarters, scope)).items():
            number = (quarter - quarters.start) // width
            total, wrong = _counted(counts, wanted.state)
            totals[number] = totals.get(number, 0) + total
            wrongs[number] = wrongs.get(number, 0) + wrong
        steps = [
            TimeCount(number, totals.get(number, 0), wrongs.get(number, 0), start_of(quarters[number * width]))
            for number in range(-(-len(quarters) // width))
        ]
        return RequestCounts(steps=steps, step=timedelta(seconds=QUARTER_S * width))

    async def _by_quarter(self, quarters: range, scope: Scope) -> Mapping[int, Counts]:
        """What each quarter hour has. Those that are over stay as they are, so that they are read once."""
        settled = min(quarters.stop, quarter_of(self._clock.now()) - _UNSETTLED)
        known = self._known.pop(scope, _NOTHING_KNOWN)
        if not known.quarters.start <= quarters.start <= known.quarters.stop:
            known = _Known(range(quarters.start, quarters.start), {})
        rest = range(known.quarters.stop, quarters.stop)
        found = {**known.counts, **(await self._statistics.by_quarter(rest, scope) if rest else {})}
        if settled > known.quarters.stop:
            kept = range(max(known.quarters.start, settled - _MOST_KEPT), settled)
            known = _Known(kept, {quarter: counts for quarter, counts in found.items() if quarter in kept})
        self._known[scope] = known
        if len(self._known) > _SCOPES:
            self._known.pop(next(iter(self._known)))
        return {quarter: counts for quarter, counts in found.items() if quarter in quarters}


def _at(found: Mapping[int, TimeCount], number: int, begins: datetime) -> TimeCount:
    return replace(found.get(number) or TimeCount(number, 0, 0, begins), begins=begins)


def _counted(counts: Counts, state: str | None) -> tuple[int, int]:
    """How many are in this state (in any, without one), and how many of them went wrong."""
    by_state = {
        State.COMPLETED.value: counts.succeeded,
        State.FAILED.value: counts.errors,
        State.CANCELLED.value: counts.cancelled,
        REFUSED: counts.refused,
    }
    chosen = {name: number for name, number in by_state.items() if state in (None, name)}
    return sum(chosen.values()), sum(chosen.get(name, 0) for name in (State.FAILED.value, REFUSED))
