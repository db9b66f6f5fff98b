"""Accounts that were deleted a short while ago."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.trash import DeletedAccount


class AccountTrash(Protocol):
    """Deleted accounts with their secrets, apart from all others: no other repository knows of them."""

    async def put(self, account_id: int, who: str, at: datetime, audit: AuditEntry | None = None) -> None:
        """Take an account away as `Accounts.remove` does, and keep it here; nothing happens when it is not there."""
        ...

    async def page(self, *, before: int | None, limit: int) -> Sequence[DeletedAccount]:
        """Accounts that are kept, those with the greatest ids first, of those with lesser ids than ``before``."""
        ...

    async def count(self) -> int:
        """How many are kept."""
        ...

    async def read(self, account_id: int) -> tuple[DeletedAccount, Credentials] | None:
        """One that is kept, with its secrets; None when it is not (any more)."""
        ...

    async def restore(self, account_id: int, audit: AuditEntry | None = None) -> Account | None:
        """Put an account back under its id, with its secrets, noted in the feed; None when it is not kept (any more).

        Raises:
            ConflictError: `taken_by` another one of the same place, which has its address or its secret by now.
        """
        ...

    async def forget(self, before: datetime) -> int:
        """Drop for good what was deleted before this moment; how many those were."""
        ...


@runtime_checkable
class KeepsDeleted(Protocol):
    """A storage that keeps deleted accounts for a while. A storage may offer this; without it they are gone at once."""

    @property
    def trash(self) -> AccountTrash:
        """What is kept."""
        ...
