"""When to leave an upstream alone: it fails for most accounts, so that asking it on and on helps nobody."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from flow2api.domain.weather import Weather

WINDOW_S = 30.0
FAILURES = 5
OPEN_S = 30.0


class BreakerState(StrEnum):
    """Whether calls to an upstream are made."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Host(StrEnum):
    """The machines of an upstream that fail apart from each other."""

    API = "api"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """How a breaker stands.

    Attributes:
        retry_after_s: Seconds until the next call may be tried; 0 while calls are made.
        failures: How many of the outcomes of the last half minute were failures of the service.
        outcomes: How many outcomes there were.
    """

    state: BreakerState
    retry_after_s: float
    failures: int
    outcomes: int


class Breaker:
    """The outcomes of the last half minute at one host, and what follows from them.

    It opens at five failures that are most of the outcomes, met by most of the accounts seen: one bad account among good
    ones opens nothing. Half a minute later one call is let through at a time, which decides how it goes on. Times are
    monotonic seconds.
    """

    def __init__(self) -> None:
        self._outcomes: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._accounts = Weather(WINDOW_S)
        self._open_until: float | None = None
        self._probe_at = 0.0
        self._turn_at = 0.0

    def state(self, at: float) -> BreakerState:
        """How it stands now."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if at < self._open_until else BreakerState.HALF_OPEN

    def status(self, at: float) -> BreakerStatus:
        """How it stands now, for operators."""
        self._forget_before(at - WINDOW_S)
        return BreakerStatus(self.state(at), self.wait_s(at) or 0.0, self._failures, len(self._outcomes))

    def wait_s(self, at: float) -> float | None:
        """Seconds until it is worth asking again; None when a call may be made now."""
        if self._open_until is None:
            return None
        return _left(max(self._open_until, self._probe_at), at)

    def take_turn(self, at: float) -> float | None:
        """Let one request through to try; the others wait as many seconds as are returned, then ask again."""
        if self._open_until is None:
            return None
        wait_s = _left(max(self._open_until, self._probe_at, self._turn_at), at)
        if wait_s is None:
            self._turn_at = at + OPEN_S
        return wait_s

    def pass_turn_on(self) -> None:
        """Who had the turn does without it."""
        self._turn_at = 0.0

    def admit(self, at: float) -> bool:
        """Whether a call may be made; when half open, it is the probe."""
        if self._open_until is None:
            return True
        if at < self._open_until or at < self._probe_at:
            return False
        self._probe_at = at + OPEN_S
        return True

    def note(self, account_id: int, at: float, *, went_well: bool, began: float) -> bool:
        """Note an outcome.

        Args:
            began: When the call was made. While open, what was under way before says nothing.

        Returns:
            Whether the state has changed.
        """
        if self._open_until is not None:
            return began >= self._open_until and self._probed(at, went_well=went_well)
        self._forget_before(at - WINDOW_S)
        self._outcomes.append((at, went_well))
        self._accounts.note(account_id, at, went_well=went_well)
        if went_well:
            return False
        self._failures += 1
        if self._failures < FAILURES or 2 * self._failures <= len(self._outcomes) or not self._accounts.is_foul:
            return False
        self._open_until = at + OPEN_S
        return True

    def abandon(self, began: float) -> None:
        """A call has ended without telling how the service fares: if it was the probe, another may follow."""
        if self._open_until is not None and began >= self._open_until:
            self._probe_at = self._turn_at = 0.0

    def _probed(self, at: float, *, went_well: bool) -> bool:
        self._probe_at = self._turn_at = 0.0
        if went_well:
            self._open_until, self._failures, self._accounts = None, 0, Weather(WINDOW_S)
            self._outcomes.clear()
        else:
            self._open_until = at + OPEN_S
        return True

    def _forget_before(self, time: float) -> None:
        while self._outcomes and self._outcomes[0][0] < time:
            self._failures -= not self._outcomes.popleft()[1]


def _left(until: float, at: float) -> float | None:
    # Every moment that is waited for lies at most so far ahead; sums of floats may say a trifle more.
    return min(until - at, OPEN_S) if at < until else None
