"""What several processes must agree on."""

from typing import Protocol, runtime_checkable

from flow2api.domain.media import MediaKind


class Slots(Protocol):
    """Counts who works on what, so that no account carries more than its capacity, in however many processes."""

    async def take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        """Take one slot and return the ticket that gives it back; None when all are taken."""
        ...

    async def give_back(self, ticket: str) -> None:
        """Give the slot back; doing so twice does no harm."""
        ...


@runtime_checkable
class CountsInMemory(Protocol):
    """What slots may offer besides that ask nobody else: answers at once, for which no task has to be made."""

    def take_now(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        """As `Slots.take`."""
        ...

    def give_back_now(self, ticket: str) -> None:
        """As `Slots.give_back`."""
        ...
