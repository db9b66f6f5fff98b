"""The timeline of each account's health."""

from datetime import datetime
from typing import Protocol

from flow2api.domain.health import HealthEvent
from flow2api.domain.ports.storage.generations import Page


class HealthLog(Protocol):
    """What accounts went through, written in batches behind the requests."""

    def note(self, event: HealthEvent) -> None:
        """Hand over an event; never blocks and never raises (when full it drops, and counts what it dropped)."""
        ...

    async def page(self, account_id: int, *, before: int | None = None, limit: int) -> Page[HealthEvent]:
        """The events of an account, the latest first.

        Args:
            before: The number of the last event of the page before this one; None for the first page.

        Raises:
            StorageError: The database did not tell.
        """
        ...

    async def forget(self, before: datetime) -> int:
        """Delete what is older, in steps that let others write in between.

        Returns:
            How many events those were.

        Raises:
            StorageError: The database refused.
        """
        ...
