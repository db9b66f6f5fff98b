"""A client that costs little itself: kept connections, requests that are made beforehand, answers read but not decoded."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

_CONNECT_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        first_ms: Until its first byte.
        total_ms: Until its last one.
    """

    status: int
    body: bytes
    first_ms: float
    total_ms: float

    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


@dataclass(slots=True)
class Spans:
    """What a number of answers took."""

    first_ms: list[float] = field(default_factory=list)
    total_ms: list[float] = field(default_factory=list)
    failed: int = 0

    def add(self, answer: Answer) -> None:
        """Take one in; whatever is no success is only counted."""
        if answer.status == 200:
            self.first_ms.append(answer.first_ms)
            self.total_ms.append(answer.total_ms)
        else:
            self.failed += 1

    def join(self, later: "Spans") -> None:
        """Take in those of another round."""
        self.first_ms += later.first_ms
        self.total_ms += later.total_ms
        self.failed += later.failed


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of all lies."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values) if values else float("nan")


def request_bytes(
    method: str, url: str, *, headers: dict[str, str] | None = None, document: object | None = None
) -> bytes:
    """A request as it goes over the wire."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    body = b""
    if document is not None:
        body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        if not any(line.lower().startswith("content-type:") for line in lines):
            lines.append("content-type: application/json")
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class Connection(asyncio.Protocol):
    """One connection that is kept; one request at a time.

    Args:
        keep_bodies: Whether bodies are wanted; else they are only counted away.
    """

    def __init__(self, *, keep_bodies: bool = True) -> None:
        self._keep_bodies = keep_bodies
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._body_starts = 0
        self._body_ends: int | None = None
        self._dropped = 0
        self._status = 0
        self._sent_at = 0.0
        self._first_at = 0.0
        self._answer: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the server closed the connection ({exc})"))

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for the whole answer."""
        assert self._transport is not None
        self._received.clear()
        self._body_starts, self._body_ends, self._dropped, self._first_at = 0, None, 0, 0.0
        self._answer = asyncio.get_running_loop().create_future()
        self._sent_at = time.perf_counter()
        self._transport.write(request)
        return await self._answer

    def hold_back(self) -> None:
        """Read nothing more for now."""
        assert self._transport is not None
        self._transport.pause_reading()

    def read_on(self) -> None:
        """Read again."""
        assert self._transport is not None
        self._transport.resume_reading()

    @property
    def received_bytes(self) -> int:
        """What has come of the answer so far, its head included."""
        return self._dropped + len(self._received)

    @property
    def body_bytes(self) -> int:
        """The length of the last answer's body, if it was told in advance."""
        return 0 if self._body_ends is None else self._body_ends - self._body_starts

    @property
    def has_begun(self) -> bool:
        """Whether the first byte of the answer is there."""
        return bool(self._first_at)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self._first_at:
            self._first_at = time.perf_counter()
        self._received += data
        if not self._body_starts and not self._read_head():
            return
        if self._body_ends is None:
            if self._received.endswith(b"0\r\n\r\n"):
                self._finish()
        elif self._dropped + len(self._received) >= self._body_ends:
            self._finish()
        elif not self._keep_bodies:
            self._dropped += len(self._received)
            self._received.clear()

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._received[:end]).lower()
        self._status = int(head[9:12])
        self._body_starts = end + 4
        _, found, rest = head.partition(b"\r\ncontent-length:")
        self._body_ends = self._body_starts + int(rest.split(b"\r\n", 1)[0]) if found else None
        return True

    def _finish(self) -> None:
        now = time.perf_counter()
        body = b"" if self._dropped or not self._keep_bodies else bytes(self._received[self._body_starts :])
        if self._body_ends is None:
            body = _joined(body)
        answer = Answer(self._status, body, (self._first_at - self._sent_at) * 1000, (now - self._sent_at) * 1000)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


def _joined(chunked: bytes) -> bytes:
    """A body without its chunk marks."""
    parts, at = [], 0
    while at < len(chunked):
        mark = chunked.index(b"\r\n", at)
        size = int(chunked[at:mark], 16)
        parts.append(chunked[mark + 2 : mark + 2 + size])
        at = mark + 4 + size
    return b"".join(parts)


@asynccontextmanager
async def connections(url: str, count: int, *, keep_bodies: bool = True) -> AsyncIterator[list[Connection]]:
    """Connections to a server, closed at the end."""
    parts = urlsplit(url)
    opened: list[Connection] = []
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            for _ in range(count):
                _, one = await loop.create_connection(
                    lambda: Connection(keep_bodies=keep_bodies), parts.hostname, parts.port
                )
                opened.append(one)
        yield opened
    finally:
        for one in opened:
            one.close()


async def load(url: str, request: bytes, *, count: int, at_once: int, limit_s: float = 120.0) -> Spans:
    """Send the same request many times, so many at once.

    Raises:
        TimeoutError: It took too long.
    """
    spans, left = Spans(), iter(range(count))

    async def work(connection: Connection) -> None:
        for _ in left:
            spans.add(await connection.ask(request))

    async with (
        asyncio.timeout(limit_s),
        connections(url, at_once, keep_bodies=False) as opened,
        asyncio.TaskGroup() as group,
    ):
        for connection in opened:
            group.create_task(work(connection))
    return spans
