"""Looking through many accounts, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flow2api.domain.account import Account, AccountStatus

LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Which accounts are looked for.

    Attributes:
        text: What e-mail address, name or remark has to hold, whatever its case; at most `LONGEST_SEARCH` characters.
        status: How they have to stand.
    """

    text: str | None = None
    status: AccountStatus | None = None


class AccountDirectory(Protocol):
    """All accounts as the database has them, found by what people look for."""

    async def page(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> Sequence[Account]:
        """Accounts that pass the filter, with greater ids than ``after``, in the order of ids."""
        ...

    async def count(self, wanted: AccountFilter, now: datetime) -> Mapping[AccountStatus, int]:
        """How many accounts pass the filter, by how they stand; what there is none of is 0."""
        ...
