"""Accounts without their secrets."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class Changed:
    """An account as a change found it, and as it left it."""

    before: Account
    after: Account


class Accounts(Protocol):
    """The accounts, without their secrets.

    Here and in the other repositories: an ``audit`` entry is written in the same step as the change, or neither is.

    Several processes write the same account. Nobody writes one that he has read before: who changes it says how, and the
    storage applies that to the account as it is in the step that writes it.
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
        self,
        accounts: Sequence[tuple[Account, Credentials]],
        audit: AuditEntry | None = None,
        *,
        unless_there: bool = False,
    ) -> Sequence[Account]:
        """Store new accounts with their secrets in one step; their ``id`` (0 before) is filled in.

        Args:
            unless_there: Store none when one of them is there already.

        Raises:
            ConflictError: `there_already`: in that very step one of the same place has the address or the secret of one.
        """
        ...

    async def change(
        self,
        account_id: int,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
    ) -> Changed | None:
        """Change the account as it is now, and note that in the feed; where nothing differs, nothing is written or noted.

        Nobody else's change falls between what ``change`` is given and what is written of its result.

        Args:
            change: What the account is to be. It is quick, calls nothing that waits and changes nothing else: it may run in
                another thread, and more than once when the first try is undone. What it raises comes out, and nothing is
                written. The account's id stays.
            audit: The entry that goes with the change, made of what was found and what came of it; as quick and as pure.

        Returns:
            None when the account is not there.
        """
        ...

    async def remove(self, account_id: int, audit: AuditEntry | None = None) -> None:
        """Forget the account and its secrets; its generations and media stay."""
        ...
