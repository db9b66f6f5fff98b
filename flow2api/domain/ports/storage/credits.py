"""What accounts had left, day by day."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

POOL = 0
"""Stands for all accounts together, where the number of an account is asked for."""


class CreditsHistory(Protocol):
    """Credits that were seen, by account and day (``2026-11-23``); of a day the last ones count."""

    async def note(self, day: str, seen: Mapping[int, int]) -> None:
        """Write down what accounts have left now, by their numbers, and `POOL` for all of them, in one short step.

        Raises:
            StorageError: The database refused.
        """
        ...

    async def of(self, account_id: int, first: str, last: str) -> Mapping[str, int]:
        """What was left on these days, both ends included, and on the last day before them on which something was seen.

        Days on which nothing was noted are missing.
        """
        ...

    async def forget(self, before: str, limit: int) -> int:
        """Drop days from before this one, in one short step.

        Returns:
            How many rows have gone; fewer than ``limit`` when no more are left.
        """
        ...


@runtime_checkable
class KeepsCredits(Protocol):
    """A storage that keeps a history of credits. A storage may offer this; without it there is none."""

    @property
    def credits_history(self) -> CreditsHistory:
        """The history."""
        ...
