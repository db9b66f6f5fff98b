"""Media without a disk, a decoder or a network, for tests of everything that needs them."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flow2api.domain.errors import MediaGoneError, UnsupportedInputError
from flow2api.domain.media import PictureFacts, StoredBytes
from flow2api.domain.picture_size import picture_facts

_CHUNK_BYTES = 64 * 1024


def fake_picture(content_type: str = "image/png", width: int = 64, height: int = 64, salt: str = "") -> bytes:
    """The beginning of a picture: type and size can be read from it, pixels can't.

    Args:
        salt: Makes it differ from another of the same type and size.
    """
    if content_type == "image/png":
        head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    elif content_type == "image/jpeg":
        head = b"\xff\xd8\xff\xc0\x00\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03"
    else:
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        head = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + size
    return head + salt.encode()


async def in_chunks(data: bytes, size: int = _CHUNK_BYTES) -> AsyncIterator[bytes]:
    """The bytes as they would come over a network."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


@dataclass
class FakeMediaStore:
    """Keeps bytes in memory. Tests may look into ``contents`` and damage them.

    Attributes:
        fault: Raised by :meth:`put` while it is set, as a full disk would.
        puts: How many contents were handed in.
        room_bytes: What there is room for, as it tells.
        now: The time, for the ages of contents.
        put_at: When each content was last put.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    fault: Exception | None = None
    puts: int = 0
    room_bytes: int | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    put_at: dict[str, datetime] = field(default_factory=dict)

    async def put(self, chunks: AsyncIterator[bytes]) -> StoredBytes:
        data = b"".join([chunk async for chunk in chunks])
        self.puts += 1
        if self.fault is not None:
            raise self.fault
        address = hashlib.sha256(data).hexdigest()
        self.contents[address] = data
        self.put_at[address] = self.now()
        return StoredBytes(address, len(data), data[:64])

    async def size(self, sha256: str) -> int | None:
        return len(self.contents[sha256]) if sha256 in self.contents else None

    async def read(self, sha256: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        data = self.contents.get(sha256, b"")
        if hashlib.sha256(data).hexdigest() != sha256 or sha256 not in self.contents or (stop or 0) > len(data):
            raise MediaGoneError("The media's bytes are not kept any more, or they are damaged.")
        async for chunk in in_chunks(data[start:stop]):
            yield chunk

    async def delete(self, sha256: str) -> None:
        self.contents.pop(sha256, None)

    async def addresses(self, *, not_put_since: datetime) -> AsyncIterator[Sequence[str]]:
        for address in list(self.contents):
            if self.put_at[address] <= not_put_since:
                yield [address]

    async def delete_unless_put_since(self, sha256: str, moment: datetime) -> bool:
        if sha256 in self.contents and self.put_at[sha256] > moment:
            return False
        await self.delete(sha256)
        return True

    async def room(self) -> int | None:
        if self.fault is not None:
            raise self.fault
        return self.room_bytes

    async def aclose(self) -> None:
        return


@dataclass
class FakePictures:
    """Believes what the first bytes of a picture say.

    Attributes:
        fault: Raised by every call while it is set.
        inspected: What was looked at, in order.
        converted: Type and quality that were asked for, in order.
    """

    fault: Exception | None = None
    inspected: list[bytes] = field(default_factory=list)
    converted: list[tuple[str, int | None]] = field(default_factory=list)

    async def inspect(self, data: bytes) -> PictureFacts:
        self.inspected.append(data)
        return self._facts(data)

    async def convert(self, data: bytes, content_type: str, quality: int | None = None) -> bytes:
        self.converted.append((content_type, quality))
        facts = replace(self._facts(data), content_type=content_type)
        return fake_picture(facts.content_type, facts.width, facts.height)

    async def preview(self, data: bytes, max_side_px: int, max_bytes: int) -> bytes:
        facts = self._facts(data)
        return fake_picture("image/webp", min(facts.width, max_side_px), min(facts.height, max_side_px))

    def _facts(self, data: bytes) -> PictureFacts:
        if self.fault is not None:
            raise self.fault
        facts = picture_facts(data)
        if facts is None:
            raise UnsupportedInputError("The picture is damaged.", code="image_parse_error")
        return facts


@dataclass
class FakeVideoStills:
    """Makes a picture of the asked size of any bytes; no bytes are no video."""

    async def thumbnail(self, read: Callable[[], AsyncIterator[bytes]], max_side_px: int = 640) -> bytes:
        await self._check(read)
        return fake_picture("image/webp", max_side_px, max_side_px)

    async def spritesheet(
        self, read: Callable[[], AsyncIterator[bytes]], columns: int = 5, rows: int = 5, tile_width_px: int = 160
    ) -> bytes:
        await self._check(read)
        return fake_picture("image/jpeg", columns * tile_width_px, rows * tile_width_px)

    async def _check(self, read: Callable[[], AsyncIterator[bytes]]) -> None:
        if not b"".join([chunk async for chunk in read()]):
            raise MediaGoneError("No preview can be made: the video's bytes are damaged.")


@dataclass
class FakePictureFetcher:
    """Gives what was planted under an address, and refuses every other.

    Attributes:
        pictures: What is there, or the error that fetching it raises.
        fetched: Addresses that were asked for, in order.
    """

    pictures: dict[str, bytes | Exception] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    async def fetch(self, url: str, *, param: str) -> bytes:
        self.fetched.append(url)
        found = self.pictures.get(url)
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise UnsupportedInputError("The address of the picture is refused.", param=param, code="invalid_image_url")
        return found


if TYPE_CHECKING:
    from flow2api.domain.ports.media import KnowsAges, MediaStore, PictureFetcher, Pictures, TellsRoom, VideoStills

    _store: MediaStore = FakeMediaStore()
    _store_with_ages: KnowsAges = FakeMediaStore()
    _store_with_room: TellsRoom = FakeMediaStore()
    _pictures: Pictures = FakePictures()
    _stills: VideoStills = FakeVideoStills()
    _fetcher: PictureFetcher = FakePictureFetcher()
