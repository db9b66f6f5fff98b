"""What was made, how often it failed and how long it took: counted by quarter hours, added up by anybody's days.

Every time zone in use lies whole quarter hours from UTC, so quarters of UTC add up to the days of each of them.
"""

from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import cache

QUARTER_S = 900

BOUNDS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 900.0)
"""Upper ends of the classes by which durations are counted; the last class is open."""

CLASSES = len(BOUNDS_S) + 1
_NOTHING = (0,) * CLASSES


class Dimension(StrEnum):
    """By what figures are told apart."""

    ACCOUNT = "account"
    KEY = "key"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What figures are restricted to; None does not restrict. 0 stands for no account, or no key."""

    account_id: int | None = None
    key_id: int | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Figures of some span of time.

    Attributes:
        images: Pictures made.
        videos: Videos made.
        succeeded: Generations that ended well.
        errors: Generations that failed.
        cancelled: Generations that somebody ended.
        refused: Requests that were answered with an error before anything was begun.
        duration_ms: How long the generations that ended well took, added up, waiting included.
        waited_ms: How much of it they waited for an account.
        saved: Those that ended well after a submit on another account had failed.
        credits: What those that ended well cost, where the price is known and in credits.
        took: How many of them took how long, by the classes of `BOUNDS_S`.
    """

    images: int = 0
    videos: int = 0
    succeeded: int = 0
    errors: int = 0
    cancelled: int = 0
    refused: int = 0
    duration_ms: int = 0
    waited_ms: int = 0
    saved: int = 0
    credits: int = 0
    took: tuple[int, ...] = field(default=_NOTHING)

    def __add__(self, other: "Counts") -> "Counts":
        sums = {name: getattr(self, name) + getattr(other, name) for name in NUMBERS}
        return Counts(**sums, took=tuple(map(sum, zip(self.took, other.took, strict=True))))

    def __bool__(self) -> bool:
        return self != _ZERO

    @property
    def success_rate(self) -> float | None:
        """The share of generations that ended well, 0 to 1; None when none has ended. Cancelled ones don't count."""
        ended = self.succeeded + self.errors
        return self.succeeded / ended if ended else None

    @property
    def mean_s(self) -> float | None:
        """How long a generation that ended well took on average; None when there was none."""
        return self.duration_ms / self.succeeded / 1000 if self.succeeded else None

    @property
    def mean_wait_s(self) -> float | None:
        """How long a generation that ended well waited for an account on average; None when there was none."""
        return self.waited_ms / self.succeeded / 1000 if self.succeeded else None

    def percentile_s(self, share: float) -> float | None:
        """Within how many seconds this share of the generations that ended well were done, to the width of a class.

        None when there was none. Of what took longer than the last bound only that is known.

        Args:
            share: 0.5 for the median.
        """
        rank = share * sum(self.took)
        if rank <= 0:
            return None
        below = 0.0
        for start, end, here in zip((0.0, *BOUNDS_S), BOUNDS_S, self.took, strict=False):
            if here and below + here >= rank:
                return start + (end - start) * (rank - below) / here
            below += here
        return BOUNDS_S[-1]


NUMBERS = tuple(one.name for one in fields(Counts) if one.name != "took")
"""The names of the plain counters."""

_ZERO = Counts()


@cache
def class_bounds_ms() -> tuple[int, ...]:
    """`BOUNDS_S` in milliseconds."""
    return tuple(int(bound * 1000) for bound in BOUNDS_S)


def quarter_of(moment: datetime) -> int:
    """The number of the quarter hour, since 1970 in UTC."""
    return int(moment.timestamp() // QUARTER_S)


def start_of(quarter: int) -> datetime:
    """When a quarter hour begins."""
    return datetime.fromtimestamp(quarter * QUARTER_S, UTC)


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The day that it is in a time zone."""
    return moment.astimezone(zone).date()


def quarters_of(day: date, zone: tzinfo) -> range:
    """The quarter hours of a day in a time zone: 92, 96 or 100 of them, mostly."""
    return range(_begin(day, zone), _begin(day + timedelta(days=1), zone))


def _begin(day: date, zone: tzinfo) -> int:
    # Midnight that a change of the clocks leaves out is the moment of the change; of two midnights it is the first.
    return quarter_of(datetime.combine(day, time(), zone))
