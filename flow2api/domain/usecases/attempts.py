"""The attempts of one generation to find an account that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from flow2api.domain.account import CallKind
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import Flow2ApiError, RequestError, UpstreamRejectedError
from flow2api.domain.ports.system import Clock

_SHORTEST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0


@dataclass(frozen=True, slots=True)
class Setback:
    """An account failed at the request in a way that may be its own fault, or that of the request.

    Attributes:
        spec: What it was to make.
        call: What it was at.
    """

    account_id: int
    error: Flow2ApiError
    spec: ModelSpec
    call: CallKind


@dataclass(slots=True)
class Attempts:
    """On which accounts it was tried, and how much time is left for all attempts together.

    Attributes:
        limit_s: How long they may take from the first lease on; None without a limit.
        tried: Accounts that must not be tried again.
        renewed: Accounts whose workspace was given up for this generation.
        last: What the latest attempt met.
        overloads: How often in this generation the service has said that it is overloaded.
        paused_s: How long it has waited for the upstream to come back.
        submits: How many submits had been begun when the latest attempt began.
        setbacks: Whom it met with a failure of which nobody knows yet whose fault it is.
        began: When the latest attempt began, in monotonic seconds.
    """

    clock: Clock
    limit_s: float | None
    tried: set[int] = field(default_factory=set)
    renewed: set[int] = field(default_factory=set)
    last: Flow2ApiError | None = None
    overloads: int = 0
    paused_s: float = 0.0
    submits: int = 0
    setbacks: list[Setback] = field(default_factory=list)
    began: float = 0.0
    _ends_at: float | None = None

    def begin(self, submits: int) -> None:
        """A lease is there; with the first one the time begins to run.

        Args:
            submits: How many submits were begun before.
        """
        self.submits, self.began = submits, self.clock.monotonic()
        if self.limit_s is not None and self._ends_at is None:
            self._ends_at = self.began + self.limit_s

    @property
    def left_s(self) -> float | None:
        """What is left of the time; None without a limit."""
        return None if self._ends_at is None else max(0.0, self._ends_at - self.clock.monotonic())

    @property
    def failed_together(self) -> bool:
        """Whether several accounts failed."""
        return len({setback.account_id for setback in self.setbacks}) > 1

    def to_blame(self, end: Exception | None) -> Sequence[Setback]:
        """The setbacks that count against the accounts.

        What another account made in the end is not to blame itself. What was wrong in itself is, and what several
        accounts failed at, too.

        Args:
            end: What the last attempt met; None when it went well.
        """
        if end is not None and (self.failed_together or isinstance(end, RequestError | UpstreamRejectedError)):
            return ()
        return self.setbacks

    def pause_s(self, asked_s: float | None, random: Random) -> float | None:
        """How long to hold back after one more word of overload; None when the time that is left does not allow it.

        Anything between half a second and a ceiling that doubles each time, up to eight seconds: those who were sent away
        together do not come back together.

        Args:
            asked_s: What the service asked for; a longer pause than eight seconds is not made.
        """
        ceiling_s = min(_LONGEST_PAUSE_S, 2.0 * 2.0 ** min(self.overloads, 8))
        self.overloads += 1
        pause_s = max(random.uniform(_SHORTEST_PAUSE_S, ceiling_s), min(asked_s or 0.0, _LONGEST_PAUSE_S))
        left_s = self.left_s
        return pause_s if left_s is None or pause_s < left_s else None
