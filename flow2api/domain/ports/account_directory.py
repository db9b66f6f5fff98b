"""Looking through many accounts, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flow2api.domain.account import Account, AccountStatus
from flow2api.domain.statistics import Counts

LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Which accounts are looked for.

    Attributes:
        text: What e-mail address, name or remark has to hold, whatever its case; at most `LONGEST_SEARCH` characters.
        status: How they have to stand.
        tag: A tag that they have to have, spelt as it is there.
    """

    text: str | None = None
    status: AccountStatus | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class AccountUse:
    """What accounts have done so far, by their ids; one that has done nothing is missing.

    Attributes:
        last_used_at: When each last worked, as far back as the request log goes.
    """

    counts: Mapping[int, Counts]
    last_used_at: Mapping[int, datetime]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Some of the accounts that pass a filter, and how many do in all, by how they stand."""

    accounts: Sequence[Account]
    counts: Mapping[AccountStatus, int]


class AccountDirectory(Protocol):
    """All accounts as the database has them, found by what people look for."""

    async def page(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> Sequence[Account]:
        """Accounts that pass the filter, with greater ids than ``after``, in the order of ids."""
        ...

    async def count(self, wanted: AccountFilter, now: datetime) -> Mapping[AccountStatus, int]:
        """How many accounts pass the filter, by how they stand; what there is none of is 0."""
        ...

    async def look(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> AccountPage:
        """Both at once: a search for what few accounts have goes through them once."""
        ...

    async def use_of(self, account_ids: Sequence[int]) -> AccountUse:
        """What these accounts have done so far."""
        ...
