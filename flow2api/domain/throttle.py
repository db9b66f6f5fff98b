"""How tries to sign in are slowed down: a few are free, then each costs twice the time of the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

FREE_TRIES = 5
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
"""So long after the last pause has ended, tries are free again: nobody is locked out for good."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What is known of the tries of one source, or for one name.

    Attributes:
        count: How many there were in a row without success.
        blocked_until: Before this time no further one is looked at.
    """

    count: int = 0
    blocked_until: datetime | None = None

    def pause_left(self, now: datetime) -> timedelta:
        """How long the next try has to wait; zero when it may come."""
        if self.blocked_until is None:
            return timedelta(0)
        # A clock that was set back must not lock anybody out for longer than the longest pause.
        return min(max(self.blocked_until - now, timedelta(0)), LONGEST_PAUSE)

    def one_more(self, now: datetime) -> "Tries":
        """After another try, which counts before it is looked at, so that many at once are no way around."""
        is_old = self.blocked_until is not None and now - self.blocked_until > FORGOTTEN_AFTER
        count = 1 if is_old else self.count + 1
        over = count - FREE_TRIES
        pause = timedelta(0) if over < 0 else min(FIRST_PAUSE * 2 ** min(over, 20), LONGEST_PAUSE)
        return Tries(count, now + pause)


class ToldPauses:
    """Which pauses are put down already: one entry each, however often somebody knocks meanwhile."""

    def __init__(self) -> None:
        self._until: dict[bytes, datetime] = {}

    def is_new(self, subjects: Sequence[bytes], now: datetime, pause: timedelta) -> bool:
        """Whether none of these is in a pause that was told; from now on they are."""
        if any(self._until.get(subject, now) > now for subject in subjects):
            return False
        self._until = {subject: until for subject, until in self._until.items() if until > now}
        self._until.update(dict.fromkeys(subjects, now + pause))
        return True
