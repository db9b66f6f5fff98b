"""The timeline of each account's health."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from flow2api.domain.checks import Check
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


@runtime_checkable
class TellsChecks(Protocol):
    """A health log that can tell how the last checks of many accounts went.

    A health log may offer this; without it, nothing is known of them.
    """

    async def last_checks(self, account_ids: Sequence[int]) -> Mapping[int, Sequence[Check]]:
        """The last checks of these accounts (`domain.checks.SHOWN` of each at most), oldest first.

        What is found costs the same however much is kept; an account of which nothing is found is missing.

        Raises:
            StorageError: The database did not tell.
        """
        ...
