"""What became of a day's requests when they were replayed under a policy."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The outcome of one policy.

    Attributes:
        failures: How many got no account, by code.
        waited: How many had to wait, among those that were served.
        wait_p50_s: What half of those that were served waited at most, those that did not wait included.
        accounts: How many accounts there were.
        used: How many of them served at all.
        most: What the busiest account served.
        least: What the least busy one of all accounts served.
        gini: How unevenly the work was spread over all accounts: 0 is even, near 1 is one account alone.
    """

    policy: str
    requests: int
    served: int
    failures: Mapping[str, int]
    waited: int
    wait_p50_s: float
    wait_p95_s: float
    wait_max_s: float
    accounts: int
    used: int
    most: int
    least: int
    gini: float


class Waits:
    """Waiting times in constant memory: two significant digits of each are kept."""

    def __init__(self) -> None:
        self._counts: Counter[float] = Counter()
        self._total = 0
        self.longest_s = 0.0
        self.waited = 0

    def add(self, seconds: float) -> None:
        """One that was served after so long."""
        self._counts[float(f"{seconds:.2g}")] += 1
        self._total += 1
        self.waited += seconds > 0
        self.longest_s = max(self.longest_s, seconds)

    def quantile(self, share: float) -> float:
        """What this share waited at most; 0 when there were none."""
        seen = 0
        for seconds in sorted(self._counts):
            seen += self._counts[seconds]
            if seen >= share * self._total:
                return seconds
        return 0.0


def gini(counts: Sequence[int]) -> float:
    """The Gini coefficient of these counts: 0 when all are equal, or there are none."""
    total, size = sum(counts), len(counts)
    if not total:
        return 0.0
    weighted = sum(rank * count for rank, count in enumerate(sorted(counts), 1))
    return 2 * weighted / (size * total) - (size + 1) / size
