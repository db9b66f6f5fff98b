"""Generations, who works on them, and the idempotency keys of the requests that began them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from flow2api.domain.generation import Generation
from flow2api.domain.media import Media, MediaKind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A slice of a list, in the order that was asked for.

    Attributes:
        has_more: Whether more follow behind the last item.
    """

    items: tuple[T, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """An idempotency key in use.

    Attributes:
        key_id: The first key of the line of whoever uses it; None for the operator.
        body_digest: SHA-256 of what was asked; the same key with another body is a conflict.
        group_id: The generations that answer it.
        in_place_of: The group whose claim on the same key gives way to this one; None to give way to any other. It is
            looked at when the claim is stored, and not kept.
    """

    key_id: int | None
    idempotency_key: str
    body_digest: bytes
    group_id: str
    expires_at: datetime
    in_place_of: str | None = None


class Generations(Protocol):
    """The record of everything that was ever asked for."""

    async def add(self, generations: Sequence[Generation], claim: IdempotencyClaim | None = None) -> None:
        """Store new generations, and the claim of their idempotency key with them, in one step.

        Raises:
            ConflictError: Another request holds the claim; nothing was stored.
        """
        ...

    async def save(self, generation: Generation, media: Sequence[Media] = ()) -> bool:
        """Write the generation over what is there, with media that came of it, in one step.

        Returns:
            False, and nothing was written, when the row has a newer ``fence`` (another owner has taken it over).
        """
        ...

    async def get(self, generation_id: str) -> Generation | None:
        """One generation, whoever owns it."""
        ...

    async def of_group(self, group_id: str) -> Sequence[Generation]:
        """The parts of one request, in the order in which they were added."""
        ...

    async def claimed(self, key_id: int | None, idempotency_key: str) -> IdempotencyClaim | None:
        """Who used this idempotency key before."""
        ...

    async def repeated(
        self, key_ids: Collection[int | None], body_digest: bytes, *, ended_since: datetime
    ) -> Sequence[Generation]:
        """The parts of these keys' newest request with this body that is unfinished or has ended since then, undeleted.

        Only requests are found whose generations bear the digest of their body.
        """
        ...

    async def page(
        self, *, key_ids: Collection[int | None], kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        """One page of these keys' generations that are neither deleted nor expired, behind the one with the id ``after``.

        Args:
            key_ids: A key and those that took its place or whose place it took; None in it stands for the operator.
        """
        ...

    async def renew(self, owner: str, seconds: float) -> int:
        """Prolong the lease on every unfinished generation of this owner, in one statement, by the database's clock.

        Returns:
            How many those are.
        """
        ...

    async def held(self, owner: str) -> Sequence[str]:
        """The ids of every unfinished generation of this owner."""
        ...

    async def take_over(self, owner: str, seconds: float, limit: int) -> Sequence[Generation]:
        """Become the owner of unfinished generations whose lease has run out or was released.

        Their ``fence`` has grown by one; ``rescues``, too, unless the former owner released them in order.
        """
        ...

    async def release(self, owner: str) -> None:
        """Give up the leases of this owner, so that others may take over at once."""
        ...
