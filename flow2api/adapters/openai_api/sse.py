"""Server-sent events, as the OpenAI SDKs read them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import msgspec
import structlog
from litestar.types import Receive, Scope, Send

from flow2api.adapters.openai_api.answers import Answer
from flow2api.adapters.openai_api.cors import HeaderList
from flow2api.adapters.openai_api.doors import Limits
from flow2api.adapters.openai_api.sending import ClientStalledError, send_within, watching

_log = structlog.get_logger(__name__)

DONE = b"data: [DONE]\n\n"
_PING = b": ping\n\n"
_END_OF_EVENT = b"\n\n"

Frames = AsyncGenerator[bytes, None]


def data_frame(document: object, event: str | None = None) -> bytes:
    """One event; with ``event`` it is named, too."""
    data = b"data: " + msgspec.json.encode(document) + _END_OF_EVENT
    return data if event is None else b"event: " + event.encode("ascii") + b"\n" + data


async def ending_with_error(frames: Frames, render: Callable[[Exception], bytes]) -> Frames:
    """The same frames; an error on the way becomes a last frame, for the status has long been sent."""
    async with aclosing(frames):
        try:
            async for frame in frames:
                yield frame
        except Exception as error:  # noqa: BLE001 - whatever it is, the client must learn that the stream failed
            yield render(error)


class EventStream(Answer):
    """A stream of events that lives while its frames do and its client listens.

    A frame may come in several pieces; only the last ends with an empty line. Between frames a comment is sent whenever
    nothing else was for a while. A client that is gone, or takes nothing, ends the frames, not the work behind them.
    """

    __slots__ = ("_frames", "_headers", "_limits")

    def __init__(self, frames: Frames, limits: Limits, headers: HeaderList) -> None:
        self._frames = frames
        self._limits = limits
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with aclosing(self._frames):
            try:
                await self._start(send)
                async with watching(receive) as gone:
                    await self._send_frames(send, gone)
            except ClientStalledError:
                _log.info("stream_given_up", path=scope["path"], stalled_s=self._limits.stall_s)

    async def _start(self, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            *self._headers,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _send_frames(self, send: Send, gone: "asyncio.Task[None]") -> None:
        last = _END_OF_EVENT
        while (piece := await self._next(send, gone, may_ping=last.endswith(_END_OF_EVENT))) is not None:
            await self._write(send, piece)
            last = piece
        if not gone.done():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self, send: Send, gone: "asyncio.Task[None]", *, may_ping: bool) -> bytes | None:
        """The next piece; None when there are no more or the client is gone."""
        step = asyncio.ensure_future(anext(self._frames, None))
        try:
            while not step.done() and not gone.done():
                await asyncio.wait({step, gone}, timeout=self._limits.ping_s, return_when=asyncio.FIRST_COMPLETED)
                if may_ping and not step.done() and not gone.done():
                    await self._write(send, _PING)
            return step.result() if step.done() and not gone.done() else None
        finally:
            if not step.done():
                step.cancel()
                await asyncio.wait({step})

    async def _write(self, send: Send, piece: bytes) -> None:
        await send_within(send, {"type": "http.response.body", "body": piece, "more_body": True}, self._limits.stall_s)
