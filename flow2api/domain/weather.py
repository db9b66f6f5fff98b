"""Whose fault a fault is: an account's own, or everybody's."""

from collections import deque

_WINDOW_S = 120.0
_KEPT = 512


class Weather:
    """The recent outcomes of all accounts of one upstream.

    Errors of the service, garbage and time-outs count as an account's own only while most of the other accounts do not
    show them.
    """

    def __init__(self) -> None:
        self._outcomes: deque[tuple[float, int, bool]] = deque(maxlen=_KEPT)

    def note(self, account_id: int, at: float, *, went_well: bool) -> None:
        """Remember an outcome; ``at`` is monotonic time in seconds."""
        self._outcomes.append((at, account_id, went_well))

    def is_own_fault(self, account_id: int, at: float) -> bool:
        """Whether a fault that this account meets now is its own: others were seen lately, and most of them fare well."""
        latest = {
            other: went_well
            for when, other, went_well in self._outcomes
            if other != account_id and at - when <= _WINDOW_S
        }
        return bool(latest) and 2 * sum(latest.values()) > len(latest)
