"""Takes in pictures that callers send, point to, or have had made here before."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator

from flow2api.domain.api_key import Caller
from flow2api.domain.data_url import base64_pieces, data_url_pieces, is_data_url
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.key_lines import KeyLines
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.domain.options import Options
from flow2api.domain.ports.media import MediaStore, PictureFetcher, Pictures
from flow2api.domain.ports.storage import MediaIndex
from flow2api.domain.ports.system import Clock, Ids

_OWN_MEDIA = re.compile(
    r"^(?:(?:https?://[^/?#\s]{1,253})?(?:/[\w-]{1,32}){0,3}?/media/|extend://)?(media_[0-9a-z]{20,40})(?:[?#].*)?$"
)


class IngestPictures:
    """Every input becomes a media of the caller's: looked at, stored, and good for a restart."""

    def __init__(
        self,
        pictures: Pictures,
        fetcher: PictureFetcher,
        store: MediaStore,
        media: MediaIndex,
        ids: Ids,
        clock: Clock,
        options: Callable[[], Options],
        lines: KeyLines,
    ) -> None:
        self._pictures = pictures
        self._fetcher = fetcher
        self._store = store
        self._media = media
        self._ids = ids
        self._clock = clock
        self._options = options
        self._lines = lines
        self._decoding = asyncio.Lock()

    async def from_bytes(self, data: bytes, caller: Caller, *, param: str) -> Media:
        """A picture that came along with the request.

        Raises:
            UnsupportedInputError: It is no picture that we take; ``param`` is named in it.
        """
        try:
            facts = await self._pictures.inspect(data)
        except UnsupportedInputError as error:
            raise UnsupportedInputError(error.message, param=param, code=error.code) from error
        stored = await self._store.put(_one(data))
        now = self._clock.now()
        media = Media(
            id=self._ids.new("media"),
            key_id=caller.key_id,
            kind=MediaKind.IMAGE,
            role=MediaRole.INPUT,
            content_type=facts.content_type,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            created_at=now,
            expires_at=self._options().retention.expiry(MediaKind.IMAGE, MediaRole.INPUT, now),
            width=facts.width,
            height=facts.height,
        )
        await self._media.add([media])
        return media

    async def from_base64(self, text: str, caller: Caller, *, param: str) -> Media:
        """A picture that came along as bare base64.

        Raises:
            UnsupportedInputError: It is no base64, or no picture that we take.
        """
        return await self.from_bytes(await self._decoded(base64_pieces(text, param)), caller, param=param)

    async def from_url(self, url: str, caller: Caller, *, param: str) -> Media:
        """The picture behind an address: a data URL, a link to own media, or https.

        Raises:
            UnsupportedInputError: The address is refused, or what is there is no picture that we take.
        """
        if is_data_url(url):
            return await self.from_bytes(await self._decoded(data_url_pieces(url, param)), caller, param=param)
        own = await self.own(url, caller)
        if own is not None:
            if own.kind is not MediaKind.IMAGE:
                raise UnsupportedInputError("A picture is wanted here, and the link leads to a video.", param=param)
            return own
        if not self._options().picture_urls:
            raise UnsupportedInputError(
                "This server fetches no pictures from addresses; send the picture itself.",
                param=param,
                code="invalid_image_url",
            )
        return await self.from_bytes(await self._fetcher.fetch(url, param=param), caller, param=param)

    async def own(self, url: str, caller: Caller) -> Media | None:
        """The caller's own media that a link (or a bare media id) names, its signature expired or not; nothing is fetched."""
        match = _OWN_MEDIA.match(url) if len(url) < 2048 else None
        if match is None:
            return None
        found = await self._media.get([match[1]])
        if not found or not self._lines.owns(caller, found[0].key_id) or found[0].is_expired(self._clock.now()):
            return None
        return found[0]

    async def _decoded(self, pieces: Iterator[bytes]) -> bytes:
        """One picture at a time, and others run after every piece: decoding lets no thread run beside it."""
        decoded = []
        async with self._decoding:
            for piece in pieces:
                decoded.append(piece)
                await asyncio.sleep(0)
        return b"".join(decoded)


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data
