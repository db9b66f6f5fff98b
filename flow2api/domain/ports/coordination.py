"""What several processes must agree on."""

from typing import Protocol

from flow2api.domain.media import MediaKind


class Slots(Protocol):
    """Counts who works on what, so that no account carries more than its capacity, in however many processes."""

    async def take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        """Take one slot and return the ticket that gives it back; None when all are taken."""
        ...

    async def give_back(self, ticket: str) -> None:
        """Give the slot back; doing so twice does no harm."""
        ...
