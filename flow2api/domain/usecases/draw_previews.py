"""Small pictures of kept media, drawn when somebody looks through them and kept in memory for a while."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from flow2api.domain.errors import MediaGoneError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.media import Pictures, VideoStills
from flow2api.domain.usecases.serve_media import OpenMedia

CONTENT_TYPE = "image/webp"
MAX_SIDE_PX = 320
MAX_BYTES = 8 * 1024
"""Sixty of them, and the page around them, stay below 600 KB."""

_HELD_BYTES = 8 * 1024 * 1024
_AT_ONCE = 2
_LARGEST = 64 * 1024 * 1024


class DrawPreviews:
    """Draws previews, two at a time, so that pictures of callers find a worker; one preview is drawn once for all."""

    def __init__(self, pictures: Pictures, stills: VideoStills) -> None:
        self._pictures = pictures
        self._stills = stills
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._held_bytes = 0
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, opened: OpenMedia) -> bytes:
        """A WebP picture of at most `MAX_BYTES`, no side longer than `MAX_SIDE_PX`; of a video its first frame.

        Raises:
            MediaError: Nothing can be drawn of it.
            UnsupportedInputError: The picture is damaged.
        """
        key = opened.media.sha256
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            held = self._held.get(key)
            if held is None:
                async with self._turns:
                    return self._keep(key, await self._drawn(opened))
            self._held.move_to_end(key)
            return held

    async def _drawn(self, opened: OpenMedia) -> bytes:
        if opened.media.kind is MediaKind.IMAGE:
            return await self._small(await _whole(opened))

        def read() -> AsyncIterator[bytes]:
            return opened.read(0, None)

        frame = await self._stills.thumbnail(read, MAX_SIDE_PX)
        return frame if len(frame) <= MAX_BYTES else await self._small(frame)

    async def _small(self, picture: bytes) -> bytes:
        return await self._pictures.preview(picture, MAX_SIDE_PX, MAX_BYTES)

    def _keep(self, key: str, data: bytes) -> bytes:
        self._held[key] = data
        self._held_bytes += len(data)
        while self._held_bytes > _HELD_BYTES:
            _, dropped = self._held.popitem(last=False)
            self._held_bytes -= len(dropped)
        return data


async def _whole(opened: OpenMedia) -> bytes:
    if opened.size_bytes > _LARGEST:
        raise MediaGoneError("The picture is too large for a preview.")
    return b"".join([chunk async for chunk in opened.read(0, None)])
