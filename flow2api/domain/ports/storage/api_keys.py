"""Keys to our API."""

from collections.abc import Sequence
from typing import Protocol

from flow2api.domain.api_key import ApiKey
from flow2api.domain.audit import AuditEntry


class ApiKeys(Protocol):
    """Keys to our API."""

    async def all(self) -> Sequence[ApiKey]:
        """Every key, revoked ones included, oldest first."""
        ...

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key with this digest."""
        ...

    async def add(self, key: ApiKey, audit: AuditEntry | None = None) -> ApiKey:
        """Store a new key; its ``id`` (0 before) is filled in.

        Raises:
            ConflictError: An active key has this name already.
        """
        ...

    async def save(self, key: ApiKey, audit: AuditEntry | None = None, *, former: ApiKey | None = None) -> None:
        """Write the key over what is there and note the change in the feed.

        Args:
            former: The key as it was when the change was thought of, so that it undoes none that came between; None writes
                over whatever is there.

        Raises:
            ChangedMeanwhileError: It is not as `former` any more; nothing was written.
            ConflictError: Another active key has this name.
        """
        ...

    async def replace(
        self, key: ApiKey, successor: ApiKey, audits: Sequence[AuditEntry] = (), *, former: ApiKey
    ) -> ApiKey:
        """Write a key over what is there and store the one that takes its place: both, or neither.

        Args:
            key: As it goes on from now on.
            successor: The new one; its ``id`` (0 before) is filled in. It may have the name that the other had until now.
            audits: Are written with them; one without a subject is about the successor.
            former: The key as it was when the change was thought of.

        Raises:
            ChangedMeanwhileError: It is not as `former` any more; nothing was written.
            ConflictError: Another active key has one of the names, or there is no such key; nothing was written.
        """
        ...
