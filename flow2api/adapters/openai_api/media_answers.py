"""Kept bytes as answers: whole or in part, in constant memory, and harmless in a browser."""

import structlog
from litestar.types import Receive, Scope, Send

from flow2api.adapters.openai_api.answers import Answer, is_head
from flow2api.adapters.openai_api.cors import HeaderList
from flow2api.adapters.openai_api.headers import header
from flow2api.adapters.openai_api.ranges import (
    OUTSIDE,
    ByteRange,
    Unsatisfiable,
    byte_range,
    is_unchanged,
    may_send_range,
)
from flow2api.adapters.openai_api.sending import ClientStalledError, closing, send_within, watching
from flow2api.domain.errors import MediaGoneError
from flow2api.domain.media import CONTENT_TYPES
from flow2api.domain.usecases.serve_media import OpenMedia

_log = structlog.get_logger(__name__)

# A link is a secret that opens one thing, and chat front ends show it from their own origin: hence "cross-origin".
# Whatever the bytes are, a browser that opens them runs nothing.
_SAFETY: HeaderList = [
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"referrer-policy", b"no-referrer"),
]


class MediaBytes(Answer):
    """One media with ranges, ``ETag`` and ``HEAD``."""

    __slots__ = ("_opened", "_stall_s")

    def __init__(self, opened: OpenMedia, stall_s: float) -> None:
        """Take what is open.

        Raises:
            MediaGoneError: It is of a type that is never served.
        """
        if opened.media.content_type not in CONTENT_TYPES:
            raise MediaGoneError("This media is of a type that is not served.")
        self._opened = opened
        self._stall_s = stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        etag = f'"{self._opened.media.sha256[:32]}"'
        size = self._opened.size_bytes
        part: ByteRange | Unsatisfiable | None = None
        if may_send_range(header(scope, b"if-range"), etag):
            part = byte_range(header(scope, b"range"), size)
        whole = ByteRange(0, size)
        if is_unchanged(header(scope, b"if-none-match"), etag):
            await self._send_head(send, 304, self._headers(etag, None))
            await _send_end(send)
        elif part is OUTSIDE:
            outside = [(b"content-range", b"bytes */%d" % size), (b"content-length", b"0")]
            await self._send_head(send, 416, [*self._headers(etag, None), *outside])
            await _send_end(send)
        else:
            span = part if isinstance(part, ByteRange) else whole
            headers = self._headers(etag, span)
            if span is part:
                headers.append((b"content-range", b"bytes %d-%d/%d" % (span.start, span.stop - 1, size)))
            await self._send_head(send, 206 if span is part else 200, headers)
            await self._send_body(scope, receive, send, span)

    def _headers(self, etag: str, span: ByteRange | None) -> HeaderList:
        media = self._opened.media
        headers = [
            (b"etag", etag.encode("ascii")),
            (b"accept-ranges", b"bytes"),
            (b"cache-control", b"private, max-age=3600"),
            *_SAFETY,
        ]
        if span is not None:
            headers += [
                (b"content-type", media.content_type.encode("ascii")),
                (b"content-length", b"%d" % span.size),
                (b"content-disposition", f'inline; filename="{media.file_name}"'.encode("ascii", "replace")),
            ]
        return headers

    async def _send_head(self, send: Send, status: int, headers: HeaderList) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def _send_body(self, scope: Scope, receive: Receive, send: Send, span: ByteRange) -> None:
        if is_head(scope):
            await _send_end(send)
            return
        try:
            async with watching(receive) as gone, closing(self._opened.read(span.start, span.stop)) as chunks:
                async for chunk in chunks:
                    if gone.done():
                        return
                    await send_within(
                        send, {"type": "http.response.body", "body": chunk, "more_body": True}, self._stall_s
                    )
            await _send_end(send)
        except ClientStalledError:
            _log.info("answer_given_up", path=scope["path"], stalled_s=self._stall_s)


async def _send_end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
