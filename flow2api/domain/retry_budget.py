"""How much of the traffic to upstreams may be second tries."""

from collections import deque
from math import floor

_WINDOW_S = 60.0


class RetryBudget:
    """Counts first tries and retries of the last minute, so that an outage is not made worse by everybody's trying again."""

    def __init__(self) -> None:
        self._first: deque[list[int]] = deque()
        self._again: deque[list[int]] = deque()
        self._firsts = 0
        self._retries = 0

    def begin(self, at: float) -> None:
        """A request is tried for the first time; ``at`` is monotonic time in seconds."""
        self._forget(at)
        _count(self._first, at)
        self._firsts += 1

    def take(self, at: float, *, percent: float, at_least: int) -> bool:
        """Whether one more retry is within the budget; if so it is counted.

        Args:
            percent: How many retries there may be for a hundred first tries of the last minute.
            at_least: How many there may be in any minute.
        """
        self._forget(at)
        if self._retries >= max(at_least, self._firsts * percent / 100):
            return False
        _count(self._again, at)
        self._retries += 1
        return True

    def _forget(self, at: float) -> None:
        before = floor(at - _WINDOW_S - 1)  # a second is forgotten when the last moment of it is a minute ago
        while self._first and self._first[0][0] <= before:
            self._firsts -= self._first.popleft()[1]
        while self._again and self._again[0][0] <= before:
            self._retries -= self._again.popleft()[1]


def _count(seconds: "deque[list[int]]", at: float) -> None:
    """Counts are kept by the second, so that no traffic makes them many."""
    second = int(at)
    if seconds and seconds[-1][0] == second:
        seconds[-1][1] += 1
    else:
        seconds.append([second, 1])
