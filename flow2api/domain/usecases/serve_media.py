"""Gives kept media out: to its owner, or to whoever holds a signed link."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from flow2api.domain.errors import MediaGoneError, MediaNotFoundError
from flow2api.domain.media import Media
from flow2api.domain.ports.media import LinkSigner, MediaStore
from flow2api.domain.ports.storage import MediaIndex
from flow2api.domain.ports.system import Clock


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """A media that may be read.

    Attributes:
        read: The bytes from a start to before a stop (None: to the end), in chunks.
    """

    media: Media
    size_bytes: int
    read: Callable[[int, int | None], AsyncIterator[bytes]]


class ServeMedia:
    """Finds media and opens them; every fault of a link looks the same from outside."""

    def __init__(self, media: MediaIndex, store: MediaStore, signer: LinkSigner, clock: Clock) -> None:
        self._media = media
        self._store = store
        self._signer = signer
        self._clock = clock

    def link(self, media_id: str, lifetime_s: int) -> str:
        """Path and query of a link that opens the media for this long."""
        expires_at = int(self._clock.now().timestamp()) + lifetime_s
        return f"/media/{media_id}?{self._signer.sign(media_id, expires_at)}"

    async def of_link(self, media_id: str, query: str) -> OpenMedia:
        """The media behind a signed link.

        Raises:
            MediaNotFoundError: The link is wrong or has expired, or the media is not there.
            MediaGoneError: The bytes are missing.
        """
        if not self._signer.verify(media_id, query, int(self._clock.now().timestamp())):
            raise MediaNotFoundError("The link is not valid or has expired.")
        found = await self._media.get([media_id])
        if not found or found[0].is_expired(self._clock.now()):
            raise MediaNotFoundError("The media is not kept any more.")
        return await self.open(found[0])

    async def open(self, media: Media) -> OpenMedia:
        """A media that is known already.

        Raises:
            MediaGoneError: The bytes are missing.
        """
        size = await self._store.size(media.sha256)
        if size is None or size != media.size_bytes:
            raise MediaGoneError("The media is not kept any more.")

        def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
            return self._store.read(media.sha256, start, stop)

        return OpenMedia(media, size, read)
