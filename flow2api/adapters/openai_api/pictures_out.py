"""Made pictures on their way out: as they came, or converted to the format that was asked for."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from flow2api.adapters.openai_api.doors import Doors
from flow2api.domain.media import Media

_COMPRESSED = ("image/jpeg", "image/webp")


@dataclass(frozen=True, slots=True)
class Format:
    """What the caller wants a picture to be.

    Attributes:
        content_type: None keeps what was made.
        quality: 0 to 100, for formats that lose something; None for their usual one.
    """

    content_type: str | None = None
    quality: int | None = None

    @classmethod
    def asked(cls, name: str | None, quality: int | None) -> "Format":
        """From OpenAI's ``output_format`` and ``output_compression``; the latter counts with the former alone."""
        return cls() if name is None else cls(f"image/{name}", quality)

    def changes(self, media: Media) -> bool:
        """Whether the bytes must be made anew."""
        target = self.content_type or media.content_type
        return target != media.content_type or (self.quality is not None and target in _COMPRESSED)


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of one picture, in the format in which they go out.

    Attributes:
        read: Gives the bytes from the beginning.
    """

    media: Media
    content_type: str
    size_bytes: int
    read: Callable[[], AsyncIterator[bytes]]

    @property
    def format_name(self) -> str:
        """OpenAI's word for the format."""
        return self.content_type.removeprefix("image/")

    @property
    def size(self) -> str | None:
        """Pixels as ``WxH``, when they are known."""
        known = self.media.width and self.media.height
        return f"{self.media.width}x{self.media.height}" if known else None


async def open_picture(doors: Doors, media: Media, wanted: Format) -> Picture:
    """The picture in the wanted format.

    Raises:
        MediaGoneError: It is not kept any more.
    """
    opened = await doors.media.open(media)
    if not wanted.changes(media):
        return Picture(media, media.content_type, opened.size_bytes, lambda: opened.read(0, None))
    target = wanted.content_type or media.content_type
    data = b"".join([chunk async for chunk in opened.read(0, None)])
    converted = await doors.pictures.convert(data, target, wanted.quality)
    return Picture(media, target, len(converted), lambda: _once(converted))


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
