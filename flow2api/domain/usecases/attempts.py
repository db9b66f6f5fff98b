"""The attempts of one generation to find an account that makes it."""

from dataclasses import dataclass, field

from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.ports.system import Clock


@dataclass(slots=True)
class Attempts:
    """On which accounts it was tried, and how much time is left for all attempts together.

    Attributes:
        limit_s: How long they may take from the first lease on; None without a limit.
        tried: Accounts that must not be tried again.
        renewed: Accounts whose workspace was given up for this generation.
        last: What the latest attempt met.
    """

    clock: Clock
    limit_s: float | None
    tried: set[int] = field(default_factory=set)
    renewed: set[int] = field(default_factory=set)
    last: Flow2ApiError | None = None
    _ends_at: float | None = None

    def begin(self) -> None:
        """A lease is there; with the first one the time begins to run."""
        if self.limit_s is not None and self._ends_at is None:
            self._ends_at = self.clock.monotonic() + self.limit_s

    @property
    def left_s(self) -> float | None:
        """What is left of the time; None without a limit."""
        return None if self._ends_at is None else max(0.0, self._ends_at - self.clock.monotonic())
