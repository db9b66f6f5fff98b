"""Still pictures of videos, drawn when somebody asks for them and kept in memory for a while."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import replace
from weakref import WeakValueDictionary

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.media import VideoStills
from flow2api.domain.usecases.serve_media import OpenMedia

_HELD_BYTES = 8 * 1024 * 1024

_TYPES = {"thumbnail": "image/webp", "spritesheet": "image/jpeg"}


class DrawStills:
    """Draws a thumbnail or a sheet of frames; the same one is drawn once for all who ask at a time."""

    def __init__(self, stills: VideoStills) -> None:
        self._stills = stills
        self._held: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._held_bytes = 0
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, opened: OpenMedia, variant: str) -> OpenMedia:
        """The still as something that can be served like the video itself.

        Raises:
            MediaError: The video cannot be decoded.
        """
        data = await self._drawn(opened, variant)
        media = replace(
            opened.media,
            id=f"{opened.media.id}_{variant}",
            kind=MediaKind.IMAGE,
            content_type=_TYPES[variant],
            size_bytes=len(data),
            sha256=f"{opened.media.sha256}-{variant}",
        )

        async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
            yield data[start:stop]

        return OpenMedia(media, len(data), read)

    async def _drawn(self, opened: OpenMedia, variant: str) -> bytes:
        key = (opened.media.sha256, variant)
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            held = self._held.get(key)
            if held is None:
                return await self._draw(opened, variant, key)
            self._held.move_to_end(key)
            return held

    async def _draw(self, opened: OpenMedia, variant: str, key: tuple[str, str]) -> bytes:
        def read() -> AsyncIterator[bytes]:
            return opened.read(0, None)

        data = await (self._stills.thumbnail(read) if variant == "thumbnail" else self._stills.spritesheet(read))
        self._held[key] = data
        self._held_bytes += len(data)
        while self._held_bytes > _HELD_BYTES and len(self._held) > 1:
            _, dropped = self._held.popitem(last=False)
            self._held_bytes -= len(dropped)
        return data
