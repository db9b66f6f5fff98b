"""One call to the service and its answer, as plain values."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from flow2api.domain.secret import Secret

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP call. ``repr`` shows no header and no body, for they hold secrets and prompts.

    Attributes:
        headers: Whole lines.
        body: What to POST; None to GET.
        timeout_s: For the whole call.
        idle_timeout_s: How long the connection may trickle or stand still.
        limit_bytes: The most that is read, after decoding.
        is_streamed: The answer is taken chunk by chunk and in no encoding.
        never_repeat: The call spends: it goes out over a connection of its own, so that nothing repeats it by itself.
    """

    url: str
    headers: list[bytes]
    body: bytes | None = None
    timeout_s: float
    connect_timeout_s: float = 10.0
    idle_timeout_s: float = 3600.0
    limit_bytes: int = 8 * MIB
    is_streamed: bool = False
    never_repeat: bool = False

    def __repr__(self) -> str:
        return f"Call({'GET' if self.body is None else 'POST'} {self.url.partition('?')[0]})"


class HeadLines:
    """The header lines of the last answer on a connection; those of interim ones are dropped.

    Attributes:
        status: Of that answer; 0 while there is none.
    """

    __slots__ = ("lines", "status")

    def __init__(self) -> None:
        self.status = 0
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        """Take in one line as it came."""
        if line.startswith(b"HTTP/"):
            self.lines.clear()
            code = line.split(None, 2)[1:2]
            self.status = int(code[0]) if code and code[0].isdigit() else 0
        else:
            self.lines.append(line)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``repr`` shows the status only."""

    status: int
    head: list[bytes]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"

    def values(self, name: str) -> Iterator[str]:
        """Every header of this name (lower case), in order."""
        wanted = name.encode()
        for line in self.head:
            key, colon, value = line.partition(b":")
            if colon and key.lower() == wanted:
                yield value.strip().decode("latin-1")

    def value(self, name: str) -> str | None:
        """The first header of this name (lower case), or None."""
        return next(self.values(name), None)

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters; empty when none was told."""
        return (self.value("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_html(self) -> bool:
        """Whether this is a page for people: a login form, a proxy's notice."""
        return self.content_type in ("text/html", "application/xhtml+xml")

    def retry_after_s(self, now: datetime) -> float | None:
        """Seconds that the service asks us to wait, from a number or a date, 0 to 12 hours; None when it does not."""
        text = self.value("retry-after")
        if text is None:
            return None
        try:
            seconds = (
                float(text)
                if text.replace(".", "", 1).isdigit()
                else (parsedate_to_datetime(text) - now).total_seconds()
            )
        except (ValueError, TypeError, OverflowError):
            return None
        return max(0.0, min(seconds, 12 * 3600.0))


class Transport(Protocol):
    """Carries calls to the service."""

    async def request(self, call: Call, proxy: Secret | None) -> Answer:
        """The whole answer to a call, whatever its status."""
        ...

    def stream(
        self, call: Call, proxy: Secret | None
    ) -> AbstractAsyncContextManager[tuple[Answer, AsyncIterator[bytes]]]:
        """The answer without its body, and the body's chunks as they come."""
        ...
