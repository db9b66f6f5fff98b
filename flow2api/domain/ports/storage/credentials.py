"""The secrets of accounts."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.ports.storage.accounts import Changed
from flow2api.domain.secret import Secret


class CredentialVault(Protocol):
    """The secrets of accounts, encrypted at rest.

    `Credentials.base_url` is none of them: it is kept with the account, and None in what comes back from here.
    """

    def load(self) -> AsyncIterator[Sequence[tuple[int, Credentials]]]:
        """The secrets of every account that has an access token which has not ended, in batches."""
        ...

    async def read(self, account_id: int) -> Credentials | None:
        """The secrets of one account; None when the account is gone."""
        ...

    async def write(
        self,
        account_id: int,
        credentials: Credentials,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
        *,
        replaces: Secret | None = None,
    ) -> Changed | None:
        """Replace the secrets and change the account as it is now, in one step that is noted in the feed.

        Args:
            change: What the account is to be with them; as `Accounts.change` has it.
            audit: The entry that goes with it; as `Accounts.change` has it.
            replaces: Write only if this is the session token that is stored, so that one that somebody else has given
                meanwhile is not lost to what came of the former one. None writes whatever is stored.

        Returns:
            None when nothing was written: the account is not there, or another session token is stored.
        """
        ...

    async def find(self, session_tokens: Sequence[Secret]) -> Mapping[Secret, Sequence[int]]:
        """Which of these session tokens or keys are kept already, and by which accounts, in the order of their ids.

        A key may be kept by several accounts, that are served at different places.
        """
        ...
