"""What the journal has counted since its last flush, and how it is added to the tables of figures."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Table

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import (
    DayStatisticRow,
    OverallStatisticRow,
    QuarterStatisticRow,
    TotalStatisticRow,
)
from flow2api.adapters.persistence.rows.base import table_of
from flow2api.domain.generation import State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.request_log import REFUSED
from flow2api.domain.statistics import CLASSES, NUMBERS, class_bounds_ms, quarter_of

QUARTERS = table_of(QuarterStatisticRow)
DAYS = table_of(DayStatisticRow)
TOTALS = table_of(TotalStatisticRow)
OVERALL = table_of(OverallStatisticRow)

SUMS = (*NUMBERS, *(f"took_{number}" for number in range(CLASSES)))
"""The columns that are added up."""

_BOUNDS_MS = class_bounds_ms()
_IMAGES, _VIDEOS, _SUCCEEDED, _ERRORS, _CANCELLED, _REFUSED, _DURATION, _WAITED, _SAVED, _CREDITS = map(
    SUMS.index,
    ("images", "videos", "succeeded", "errors", "cancelled", "refused", "duration_ms", "waited_ms", "saved", "credits"),
)
_TOOK = len(NUMBERS)

T = TypeVar("T")


class Who(NamedTuple):
    """What figures are counted for; 0 stands for no account or key."""

    account_id: int
    key_id: int
    model: str


class Tallies:
    """Figures by quarter hour and by whom they are counted for; there may be ``room`` combinations."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._sums: dict[tuple[int, Who], list[int]] = {}

    def __len__(self) -> int:
        return len(self._sums)

    def count(self, entry: LogEntry) -> bool:
        """Count an entry; False when there is no room for one more combination.

        Whoever is refused may name any model; there must not be a row for each.
        """
        model = "" if entry.state == REFUSED else entry.model
        counted = quarter_of(entry.at), Who(entry.account_id or 0, entry.key_id or 0, model)
        sums = self._sums.get(counted)
        if sums is None:
            if len(self._sums) >= self._room:
                return False
            sums = self._sums[counted] = [0] * len(SUMS)
        if entry.state == State.COMPLETED:
            _count_success(sums, entry)
        elif entry.state == REFUSED:
            sums[_REFUSED] += 1
        elif entry.state == State.CANCELLED:
            sums[_CANCELLED] += 1
        else:
            sums[_ERRORS] += 1
        return True

    def absorb(self, later: "Tallies") -> None:
        """Take over what was counted meanwhile."""
        for counted, sums in later._sums.items():
            mine = self._sums.get(counted)
            self._sums[counted] = sums if mine is None else list(map(int.__add__, mine, sums))

    def of_quarters(self) -> list[dict[str, Any]]:
        """Rows for the table of quarter hours."""
        return [{"quarter": quarter, **who._asdict(), **_named(sums)} for (quarter, who), sums in self._sums.items()]

    def of_totals(self) -> list[dict[str, Any]]:
        """Rows for the table of totals."""
        return [{**who._asdict(), **_named(sums)} for who, sums in self._summed(lambda who: who).items()]

    def of_all(self) -> list[dict[str, Any]]:
        """Rows for the table of what all accounts did together."""
        summed = self._summed(lambda who: (who.key_id, who.model))
        return [{"key_id": key_id, "model": model, **_named(sums)} for (key_id, model), sums in summed.items()]

    def _summed(self, by: Callable[[Who], T]) -> dict[T, list[int]]:
        summed: dict[T, list[int]] = {}
        for (_, who), sums in self._sums.items():
            whose = by(who)
            known = summed.get(whose)
            summed[whose] = sums if known is None else list(map(int.__add__, known, sums))
        return summed


def add_figures(database: Database, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Add rows to those with the same key, or as new ones."""
    if not rows:
        return
    adding = database.insert(table)
    sums = {name: table.c[name] + adding.excluded[name] for name in SUMS}
    connection.execute(adding.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums), rows)


def _count_success(sums: list[int], entry: LogEntry) -> None:
    sums[_SUCCEEDED] += 1
    if entry.kind is MediaKind.IMAGE:
        sums[_IMAGES] += entry.results
    elif entry.kind is MediaKind.VIDEO:
        sums[_VIDEOS] += entry.results
    sums[_DURATION] += entry.duration_ms
    sums[_WAITED] += entry.waited_ms
    sums[_SAVED] += entry.attempts > 1
    sums[_CREDITS] += entry.credits
    sums[_TOOK + bisect_left(_BOUNDS_MS, entry.duration_ms)] += 1


def _named(sums: list[int]) -> Mapping[str, int]:
    return dict(zip(SUMS, sums, strict=True))
