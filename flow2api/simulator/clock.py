"""The simulator's own time, which tests can set, stop, hurry and jump."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime


class SimClock:
    """A clock that starts at real time and real speed.

    Args:
        monotonic: Source of real seconds.
        wall: Source of the unix time at which it starts.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._changed = asyncio.Event()
        self.reset()

    @property
    def speed(self) -> float:
        """Simulated seconds per real second; 0 stands still."""
        return self._speed

    def now(self) -> float:
        """Unix seconds."""
        return self._base + (self._monotonic() - self._since) * self._speed

    def today(self) -> str:
        """The UTC date, such as ``2026-06-01``."""
        return datetime.fromtimestamp(self.now(), UTC).date().isoformat()

    def reset(self) -> None:
        """Back to real time and speed 1."""
        self._move(self._wall(), 1.0)

    def set(self, now: float) -> None:
        """Jumps to a unix time."""
        self._move(now, self._speed)

    def advance(self, seconds: float) -> None:
        """Jumps forward (or back)."""
        self._move(self.now() + seconds, self._speed)

    def set_speed(self, speed: float) -> None:
        """Goes on from now at another speed.

        Raises:
            ValueError: The speed is negative.
        """
        if speed < 0:
            raise ValueError("The clock's speed must be 0 or more.")
        self._move(self.now(), speed)

    async def sleep(self, seconds: float) -> None:
        """Returns once so many simulated seconds have passed, by running or by a jump."""
        deadline = self.now() + seconds
        while (left := deadline - self.now()) > 0:
            changed = self._changed
            try:
                async with asyncio.timeout(left / self._speed if self._speed else None):
                    await changed.wait()
            except TimeoutError:
                continue

    def _move(self, now: float, speed: float) -> None:
        self._base, self._since, self._speed = now, self._monotonic(), speed
        self._changed.set()
        self._changed = asyncio.Event()


def rfc3339(moment: float, *, digits: int = 3) -> str:
    """A unix time as the upstream writes it: ``2025-11-15T04:46:04.000Z``; workflow times have 6 digits."""
    text = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{text[: len(text) - 6 + digits]}Z"
