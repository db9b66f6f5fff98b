"""Media for pages: previews, and several files as one."""

import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.policy import STATIC_HEADERS
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import MediaError, MediaNotFoundError, RequestError
from flow2api.domain.media import Media
from flow2api.domain.usecases.draw_previews import CONTENT_TYPE

_SAFE = {**STATIC_HEADERS, "content-security-policy": "default-src 'none'; sandbox"}
_KEPT_BY_BROWSERS = "private, max-age=86400"
_OLDEST_YEAR = 1980


class MediaController(Controller):
    """What pages show of kept media; the session that opens the page opens these, too."""

    path = "/console/media"

    @get("/{media_id:str}/preview")
    async def preview(self, visit: NamedDependency[Visit], media_id: FromPath[str]) -> Response[bytes]:
        """A small picture of it."""
        media = await visit.doors.follow.medium(media_id)
        if media is None:
            raise MediaNotFoundError("The file is not kept any more.")
        etag = f'"p-{media.sha256[:32]}"'
        headers = _SAFE | {"cache-control": _KEPT_BY_BROWSERS, "vary": "Cookie", "etag": etag}
        if visit.request.headers.get("if-none-match") == etag:
            return Response(b"", status_code=304, headers=headers)
        try:
            picture = await visit.doors.previews(await visit.doors.media.open(media))
        except (MediaError, RequestError) as cause:
            raise MediaNotFoundError("No preview of this file can be made.") from cause
        return Response(picture, headers=headers, media_type=CONTENT_TYPE)


def files_as_one(doors: ConsoleDoors, media: Sequence[Media]) -> Response[Any]:
    """All of these as one ZIP file, sent while it is made."""
    headers = _SAFE | {
        "cache-control": "no-store",
        "content-disposition": 'attachment; filename="generations.zip"',
    }
    return Stream(zipped(doors, media), headers=headers, media_type="application/zip", status_code=200)


async def zipped(doors: ConsoleDoors, media: Sequence[Media]) -> AsyncIterator[bytes]:
    """The bytes of a ZIP file; what is not there any more is left out. Pictures and videos are not packed again."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for one in media:
            try:
                opened = await doors.media.open(one)
            except MediaError:
                continue
            at = one.created_at.astimezone(UTC)
            entry = zipfile.ZipInfo(one.file_name, (max(at.year, _OLDEST_YEAR), *at.timetuple()[1:6]))
            with archive.open(entry, "w", force_zip64=True) as file:
                async for chunk in opened.read(0, None):
                    file.write(chunk)
                    yield pipe.taken()
            yield pipe.taken()
    yield pipe.taken()


class _Pipe:
    """What is written comes out on the other side; nothing can be gone back to."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        return

    def close(self) -> None:
        return

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held
