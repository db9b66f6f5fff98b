"""The secrets of accounts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
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

    async def write(self, account: Account, credentials: Credentials, audit: AuditEntry | None = None) -> None:
        """Replace the secrets and write the account over what is there, in one step, noted in the feed."""
        ...

    async def find(self, session_tokens: Sequence[Secret]) -> Mapping[Secret, Sequence[int]]:
        """Which of these session tokens or keys are kept already, and by which accounts, in the order of their ids.

        A key may be kept by several accounts, that are served at different places.
        """
        ...
