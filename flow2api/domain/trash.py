"""Accounts that were deleted and can still be brought back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.domain.account import Account

KEPT_FOR = timedelta(hours=24)
"""After this a deleted account is gone for good."""


@dataclass(frozen=True, slots=True)
class DeletedAccount:
    """A deleted account as it was.

    Attributes:
        deleted_by: The name of who did it.
    """

    account: Account
    deleted_at: datetime
    deleted_by: str

    @property
    def gone_at(self) -> datetime:
        """Until when it can be brought back."""
        return self.deleted_at + KEPT_FOR
