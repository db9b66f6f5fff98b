"""Counts what goes into the journal; labels take few values, whatever callers send."""

from bisect import bisect_left
from typing import TYPE_CHECKING

from flow2api.domain import errors
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.ports.storage import Journal, LogEntry
from flow2api.domain.statistics import BOUNDS_S

OTHER = "other"

_STATES = frozenset({"completed", "failed", "cancelled", "refused"})


def _codes() -> frozenset[str]:
    known = (one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Flow2ApiError))
    return frozenset(one.code for one in known)


class CountedJournal:
    """Hands every entry on, and counts it.

    Attributes:
        ended: How many ended, by kind of media and state.
        errors: How many did not end well, by code.
        took: How many that ended well took how long, by kind and the classes of `BOUNDS_S`.
        took_s: How long they took together, by kind.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._codes = _codes()
        self.ended: dict[tuple[str, str], int] = {}
        self.errors: dict[str, int] = {}
        self.took: dict[str, list[int]] = {}
        self.took_s: dict[str, float] = {}

    def note(self, entry: LogEntry) -> None:
        kind = OTHER if entry.kind is None else entry.kind.value
        state = entry.state if entry.state in _STATES else OTHER
        self.ended[kind, state] = self.ended.get((kind, state), 0) + 1
        if entry.code is not None:
            code = entry.code if entry.code in self._codes else OTHER
            self.errors[code] = self.errors.get(code, 0) + 1
        elif state == "completed":
            seconds = entry.duration_ms / 1000
            self.took.setdefault(kind, [0] * (len(BOUNDS_S) + 1))[bisect_left(BOUNDS_S, seconds)] += 1
            self.took_s[kind] = self.took_s.get(kind, 0.0) + seconds
        self._journal.note(entry)


if TYPE_CHECKING:

    def _is_a_journal(journal: CountedJournal) -> Journal:
        return journal
