"""Bytes: where they are kept, where they come from, and what they show."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from flow2api.domain.media import PictureFacts, StoredBytes


class MediaStore(Protocol):
    """Keeps bytes under their SHA-256, each content once."""

    async def put(self, chunks: AsyncIterator[bytes]) -> StoredBytes:
        """Take in bytes as they come, in constant memory; nothing partial is ever seen under the address.

        Raises:
            StorageFullError: There is no room.
        """
        ...

    async def size(self, sha256: str) -> int | None:
        """How many bytes are kept under this address; None when there are none."""
        ...

    def read(self, sha256: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from ``start`` to before ``stop``, in chunks, in constant memory.

        Raises:
            MediaGoneError: Nothing is kept under this address.
        """
        ...

    async def delete(self, sha256: str) -> None:
        """Let go of the bytes; those being read stay readable to the end."""
        ...

    async def aclose(self) -> None:
        """Stop."""
        ...


@runtime_checkable
class KnowsAges(Protocol):
    """A media store that knows when a content was last put, so that one that nobody refers to can be let go of safely."""

    def addresses(self, *, not_put_since: datetime) -> AsyncIterator[Sequence[str]]:
        """The addresses of all that nobody has put after this moment, some at a time."""
        ...

    async def delete_unless_put_since(self, sha256: str, moment: datetime) -> bool:
        """Let go of the bytes unless somebody has put them after this moment; a put that comes meanwhile is not undone.

        Returns:
            False when they stay.
        """
        ...


@runtime_checkable
class TellsRoom(Protocol):
    """A media store that knows how much more it can take."""

    async def room(self) -> int | None:
        """How many bytes may still be kept, found out by writing something; None when that cannot be known.

        Raises:
            StorageFullError: There is no room at all.
            StorageError: Nothing can be written for another reason, such as a folder that has become read-only.
        """
        ...


class Pictures(Protocol):
    """Looks at and converts pictures, away from the event loop, within limits of memory and time."""

    async def inspect(self, data: bytes) -> PictureFacts:
        """The facts of a picture that was handed in.

        Raises:
            UnsupportedInputError: It is no picture that we read, damaged, animated, or too large; the code says which.
        """
        ...

    async def convert(self, data: bytes, content_type: str, quality: int | None = None) -> bytes:
        """The same picture in another format (``image/png``, ``image/jpeg``, ``image/webp``), without metadata.

        Args:
            quality: 0 to 100 for JPEG and WebP; None for the format's best usual one.
        """
        ...

    async def preview(self, data: bytes, max_side_px: int, max_bytes: int) -> bytes:
        """The same picture small, as WebP, no side longer than asked and never enlarged.

        Args:
            max_bytes: It is drawn worse and smaller until it has no more.

        Raises:
            UnsupportedInputError: As for `inspect`.
        """
        ...


class VideoStills(Protocol):
    """Makes previews of videos, away from the event loop, within limits of memory and time."""

    async def thumbnail(self, read: Callable[[], AsyncIterator[bytes]], max_side_px: int = 640) -> bytes:
        """One frame as a WebP picture, no side longer than asked, never enlarged.

        Args:
            read: Gives the video's bytes from the start, each time it is called.

        Raises:
            MediaGoneError: The bytes are no video that can be decoded.
            MediaError: It took too much memory or time.
        """
        ...

    async def spritesheet(
        self, read: Callable[[], AsyncIterator[bytes]], columns: int = 5, rows: int = 5, tile_width_px: int = 160
    ) -> bytes:
        """Frames at even distances in time as one JPEG picture, row by row.

        Args:
            read: Gives the video's bytes from the start, each time it is called.

        Raises:
            MediaGoneError: The bytes are no video that can be decoded.
            MediaError: It took too much memory or time.
        """
        ...


class PictureFetcher(Protocol):
    """Fetches pictures from addresses that a caller gives, and never from inside the operator's network."""

    async def fetch(self, url: str, *, param: str) -> bytes:
        """The bytes behind the address.

        Raises:
            UnsupportedInputError: The address is refused, or what is there is no picture or too large. ``param`` names
                the field of the request that held it.
        """
        ...


class LinkSigner(Protocol):
    """Signs links to media, so that a link opens one media for a while and nothing else."""

    def sign(self, media_id: str, expires_at: int) -> str:
        """The query string (without ``?``) that opens the media until ``expires_at`` (unix seconds)."""
        ...

    def verify(self, media_id: str, query: str, now: int) -> bool:
        """Whether this query string opens this media now."""
        ...
