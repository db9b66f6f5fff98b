"""Accounts that were deleted and can still be brought back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.domain.account import Account
from flow2api.domain.errors import ConflictError

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


def there_already(account_id: int) -> ConflictError:
    """Why an account is not added: this one has what it would sign in with."""
    return ConflictError(f"The account {account_id} signs in with the same address or session token already.")


def taken_by(account_id: int) -> ConflictError:
    """Why a deleted account stays away: this one has what it would sign in with."""
    return ConflictError(
        f"The account {account_id} signs in with the same address or session token meanwhile; delete that one first."
    )
