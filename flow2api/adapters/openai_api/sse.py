"""Server-sent events, as the OpenAI SDKs read them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import msgspec
import structlog
from litestar.types import Message, Receive, Scope, Send

from flow2api.adapters.openai_api.answers import Answer
from flow2api.adapters.openai_api.cors import HeaderList
from flow2api.adapters.openai_api.doors import Limits
from flow2api.adapters.openai_api.sending import ClientStalledError, send_within, until_gone

_log = structlog.get_logger(__name__)

DONE = b"data: [DONE]\n\n"
_PING = b": ping\n\n"
_SHORTEST_LOOK_S = 0.005
_END_OF_EVENT = b"\n\n"

Frames = AsyncGenerator[bytes, None]


def data_frame(document: object, event: str | None = None) -> bytes:
    """One event; with ``event`` it is named, too."""
    data = b"data: " + msgspec.json.encode(document) + _END_OF_EVENT
    return data if event is None else b"event: " + event.encode("ascii") + b"\n" + data


def comment_frame(text: str) -> bytes:
    """A line for people who watch; clients pass over it."""
    return b": " + " ".join(text.split()).encode() + _END_OF_EVENT


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
        line = _Line(send, self._limits)
        # No deadline is set: the attendant makes one of "now" when the client is gone.
        listening = asyncio.timeout(None)
        async with aclosing(self._frames) as frames:
            await send({"type": "http.response.start", "status": 200, "headers": self._all_headers()})
            # Nothing of the body: the head goes out now, and waits for no frame.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            try:
                async with listening:
                    attendant = asyncio.create_task(line.attend(receive, listening))
                    try:
                        async for piece in frames:
                            await line.write(piece)
                        await send({"type": "http.response.body", "body": b"", "more_body": False})
                    finally:
                        attendant.cancel()
                        await asyncio.wait({attendant})
            except ClientStalledError:
                _log.info("stream_given_up", path=scope["path"], stalled_s=self._limits.stall_s)
            except TimeoutError:
                if not listening.expired():
                    raise

    def _all_headers(self) -> HeaderList:
        return [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            *self._headers,
        ]


class _Line:
    """The line to one client: what was last said on it, and whether somebody is still there."""

    __slots__ = ("_between_events", "_limits", "_loop", "_send", "_spoke_at")

    def __init__(self, send: Send, limits: Limits) -> None:
        self._send = send
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._spoke_at = self._loop.time()
        self._between_events = True

    async def write(self, piece: bytes) -> None:
        """Send a piece of a frame."""
        self._between_events = False
        message: Message = {"type": "http.response.body", "body": piece, "more_body": True}
        await send_within(self._send, message, self._limits.stall_s)
        self._between_events = piece.endswith(_END_OF_EVENT)
        self._spoke_at = self._loop.time()

    async def attend(self, receive: Receive, listening: asyncio.Timeout) -> None:
        """Break long silences, and end the listening when the client goes away."""
        try:
            while not await self._leaves_before_silence(receive):
                if self._between_events and self._loop.time() >= self._spoke_at + self._limits.ping_s:
                    await self.write(_PING)
        except ClientStalledError:
            pass
        listening.reschedule(self._loop.time())

    async def _leaves_before_silence(self, receive: Receive) -> bool:
        now = self._loop.time()
        silent_at = max(self._spoke_at + self._limits.ping_s, now + _SHORTEST_LOOK_S)
        try:
            async with asyncio.timeout_at(silent_at):
                await until_gone(receive)
        except TimeoutError:
            return False
        return True
