"""Accounts without their secrets."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry


class Accounts(Protocol):
    """The accounts, without their secrets.

    Here and in the other repositories: an ``audit`` entry is written in the same step as the change, or neither is.
    """

    def load(self) -> AsyncIterator[Sequence[Account]]:
        """All accounts in batches, in the order of their ids."""
        ...

    async def get(self, account_id: int) -> Account | None:
        """One account as the database has it now."""
        ...

    async def some(self, account_ids: Sequence[int]) -> Mapping[int, Account]:
        """These accounts as the database has them now; one that is not there is missing."""
        ...

    async def with_emails(self, emails: Sequence[str]) -> Sequence[Account]:
        """The accounts with one of these e-mail addresses, of every upstream, in the order of their ids."""
        ...

    async def add(
        self, accounts: Sequence[tuple[Account, Credentials]], audit: AuditEntry | None = None
    ) -> Sequence[Account]:
        """Store new accounts with their secrets in one step; their ``id`` (0 before) is filled in."""
        ...

    async def save(self, account: Account, audit: AuditEntry | None = None) -> None:
        """Write the account over what is there and note the change in the feed."""
        ...

    async def remove(self, account_id: int, audit: AuditEntry | None = None) -> None:
        """Forget the account and its secrets; its generations and media stay."""
        ...
