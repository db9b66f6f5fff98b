"""How much longer something probably takes, from how long others of its kind took."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from flow2api.domain.generation import Generation, Phase, State

LEAST = 3
"""Of fewer than this nothing is foretold."""

_CLOSE = 1.5
"""When the likely ends are no further apart than this, one number says it."""

_SMALL_S = 5.0


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left, as far as it can be told.

    Attributes:
        least_s: Half of those that took as long as this one already has ended between this and ``most_s``.
        is_overdue: It has taken longer than nearly all others; then the seconds say nothing.
    """

    least_s: float
    most_s: float
    is_overdue: bool = False

    @property
    def is_close(self) -> bool:
        """Whether the two are near enough to be told as one."""
        return self.most_s <= max(self.least_s * _CLOSE, self.least_s + _SMALL_S)

    @property
    def middle_s(self) -> float:
        """Between the two."""
        return (self.least_s + self.most_s) / 2


OVERDUE = Remaining(0.0, 0.0, is_overdue=True)


def remaining(took_s: Sequence[float], so_far_s: float) -> Remaining | None:
    """What is left of one that has taken so long; None when too few are known to say.

    Only those count that took longer than this one already has: who has waited long is not nearly done for that.

    Args:
        took_s: How long others took, in ascending order.
    """
    if len(took_s) < LEAST:
        return None
    longer = took_s[bisect_right(took_s, so_far_s) :]
    if len(longer) * 20 < len(took_s) or not longer:
        return OVERDUE
    return Remaining(_quantile(longer, 0.25) - so_far_s, _quantile(longer, 0.75) - so_far_s)


def work_begins_ms(generation: Generation) -> int | None:
    """When an account began with it, in milliseconds from when it was asked for: the one that works on it, or ended it.

    None while it waits for an account, and where nobody wrote it down.
    """
    failed = generation.failed_attempts
    lost_ms = failed[-1].at_ms + failed[-1].took_ms if failed else 0
    begun = [one for one in generation.passages if one.at_ms >= lost_ms]
    if not begun or (begun[-1].phase is Phase.LEASING and not generation.state.is_final):
        return None
    return next((one.at_ms for one in begun if one.phase is not Phase.LEASING), None)


def work_took_s(generation: Generation) -> float | None:
    """How long the account took that made it; None unless it ended well and its course is known."""
    begins_ms = work_begins_ms(generation)
    if generation.state is not State.COMPLETED or generation.ended_at is None or begins_ms is None:
        return None
    return max(0, generation.age_ms(generation.ended_at) - begins_ms) / 1000


def _quantile(sorted_s: Sequence[float], share: float) -> float:
    place = share * (len(sorted_s) - 1)
    low = int(place)
    high = min(low + 1, len(sorted_s) - 1)
    return sorted_s[low] + (sorted_s[high] - sorted_s[low]) * (place - low)
