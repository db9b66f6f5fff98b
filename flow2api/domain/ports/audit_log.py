"""The record of what operators did."""

from collections.abc import Sequence
from typing import Protocol

from flow2api.domain.audit import AuditEntry, AuditFilter


class AuditLog(Protocol):
    """Entries in the order in which they were written. None is ever changed or removed.

    What changes something takes its entry along and writes both in one step; this is for what changes nothing else.
    """

    async def note(self, entry: AuditEntry) -> None:
        """Write one entry.

        Raises:
            StorageError: It is not written; what it tells of must not happen then.
        """
        ...

    async def page(self, *, before: int | None, limit: int, wanted: AuditFilter | None = None) -> Sequence[AuditEntry]:
        """Entries that pass the filter, with smaller numbers than ``before`` (None: the newest ones), newest first."""
        ...
