"""Time, names and chance."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time. Instants are aware and in UTC; spans are measured by ``monotonic``."""

    def now(self) -> datetime:
        """The time of day."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Ids(Protocol):
    """New names for things."""

    def new(self, prefix: str) -> str:
        """A public id nobody can guess, in the order of time: the prefix, ``_``, and 32 lower-case characters."""
        ...
