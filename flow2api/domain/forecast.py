"""When credits will be used up, told from what was left day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

LOOKED_BACK = 7
"""The pace is that of so many days."""

_FEW_REFILLS = 1
_FURTHEST_DAYS = 3650.0


@dataclass(frozen=True, slots=True)
class CreditsDay:
    """What was left at the end of a day, or up to now; None when nobody had looked yet."""

    day: date
    left: int | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where credits are going.

    Attributes:
        pace: How many are spent a day.
        dry_on: The day on which nothing is left, at this pace.
    """

    pace: float
    dry_on: date

    def expected(self, last: CreditsDay, days: int) -> Sequence[tuple[date, float]]:
        """What will be left on the days after the last one; never less than nothing."""
        left = last.left or 0
        ahead = range(1, days + 1)
        return [(last.day + timedelta(days=at), max(0.0, left - self.pace * at)) for at in ahead]


def forecast(history: Sequence[CreditsDay]) -> Forecast | None:
    """When nothing will be left at the pace of the last seven days; None when that cannot be told.

    It cannot when fewer than two days are known, when nothing is spent, or when refills keep up with what is spent. A single
    refill, such as the monthly one, is left out together with what was spent beside it; refills that come more often count
    against what is spent.

    Args:
        history: Oldest first, each day once.
    """
    known = [(one.day, one.left) for one in history[-LOOKED_BACK - 1 :] if one.left is not None]
    spans = [((day - before).days, left - had) for (before, had), (day, left) in pairwise(known)]
    refills = [change for _, change in spans if change > 0]
    if len(refills) <= _FEW_REFILLS:
        spans = [span for span in spans if span[1] <= 0]
    days, change = sum(span[0] for span in spans), sum(span[1] for span in spans)
    if days <= 0 or change >= 0:
        return None
    pace = -change / days
    last_day, left = known[-1]
    lasts = left / pace
    return Forecast(pace, last_day + timedelta(days=int(lasts))) if lasts <= _FURTHEST_DAYS else None
