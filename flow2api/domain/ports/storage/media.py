"""What is known of kept media."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from flow2api.domain.media import Media


class MediaIndex(Protocol):
    """What is known of kept media; the bytes are in a media store."""

    async def add(self, media: Sequence[Media]) -> None:
        """Note new media."""
        ...

    async def get(self, media_ids: Sequence[str]) -> Sequence[Media]:
        """Those of these media that are there, in the order asked for."""
        ...

    async def expired(self, now: datetime, limit: int) -> Sequence[Media]:
        """Media whose retention is over, oldest first."""
        ...

    async def remove(self, media_ids: Sequence[str]) -> Sequence[str]:
        """Forget media.

        Returns:
            The digests that no media refers to any more: their bytes may go.
        """
        ...

    async def named(self, digests: Sequence[str]) -> frozenset[str]:
        """Those of these digests that a media refers to."""
        ...
