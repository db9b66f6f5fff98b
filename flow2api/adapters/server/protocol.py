"""HTTP/1.1 with a bound on what a client may send before, around and after what it is served."""

import asyncio
import re
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from flow2api.adapters.server.joined_writes import JoinedWrites
from flow2api.adapters.server.refusals import BAD_HOST, HEADERS_TOO_LARGE, NOT_HTTP, WASTEFUL, Refusal

HEADER_BYTES = 16 * 1024
HEADERS_WITHIN_S = 30.0
CHUNK_FRAMING_BYTES = 32
"""What the size, the line ends and small extensions of one chunk may take."""

_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?")
_UPGRADE_FIELDS = frozenset({b"upgrade", b"http2-settings", b"connection"})


class BoundedHttpProtocol(HttpToolsProtocol):
    """Request line and headers have 16 KiB and 30 s, and there is exactly one ``Host``.

    What chunked bodies carry besides their content (extensions, trailers) is dropped, and is bounded as well. A client
    that has had its answer and neither ends its request nor begins another one is let go of. Offers to change the
    protocol are passed over: the request is served as it is, body included. uvicorn itself does none of this.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_reading_headers = False
        self._header_bytes = 0
        self._framing_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._offered: bytes | None = None
        self._writes: JoinedWrites | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: its first request has to come."""
        super().connection_made(transport)
        self.transport = self._writes = JoinedWrites(transport, self.loop)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._headers_came()
        if self._writes is not None:
            self._writes.lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, and refuse what is too much of it."""
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        before = self._header_bytes
        self._header_bytes += len(data)
        self._framing_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(NOT_HTTP)
            return
        if not self._is_reading_headers:
            self._header_bytes = 0
            if self._framing_bytes > HEADER_BYTES:
                self._refuse(WASTEFUL)
        elif before + len(data) > HEADER_BYTES:
            self._refuse(HEADERS_TOO_LARGE)
        elif self._deadline is None:
            self._expect_headers()
        self._expect_something()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_reading_headers = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header in; what comes after the body is none, whatever it calls itself."""
        if self._is_reading_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Serve the request, unless its headers forbid that."""
        self._is_reading_headers = False
        self._headers_came()
        self._framing_bytes = 0
        refusal = self._refusal()
        if refusal is not None:
            served, self.app = self.app, refusal
            try:
                super().on_headers_complete()
            finally:
                self.app = served
        elif self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offered = self._head_without_offer()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body has come."""
        self._framing_bytes = max(0, self._framing_bytes - len(body) - CHUNK_FRAMING_BYTES)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come in full."""
        self._framing_bytes = 0
        if self._offered is None:
            super().on_message_complete()

    def _feed(self, data: bytes) -> None:
        """Hand data to the parser. It leaves the body out of a request that offers another protocol, so that such a
        request is begun anew without the offer.
        """
        rest = memoryview(data)
        while True:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                if self._offered is None:
                    raise httptools.HttpParserError("a tunnel is asked for") from offer
                head, self._offered = self._offered, None
                rest = rest[offer.args[0] :]
                self.parser.feed_data(head)
            else:
                return

    def _head_without_offer(self) -> bytes:
        lines = [b"%s %s HTTP/1.1" % (self.parser.get_method(), self.url)]
        lines += [b"%s: %s" % (name, value) for name, value in self.headers if name not in _UPGRADE_FIELDS]
        return b"\r\n".join([*lines, b"", b""])

    def _refusal(self) -> Refusal | None:
        """What is wrong with the headers; they may have come in one piece, and too large."""
        size_bytes, hosts = len(self.url), []
        for name, value in self.headers:
            size_bytes += len(name) + len(value) + 4
            if name == b"host":
                hosts.append(value)
        if size_bytes > HEADER_BYTES:
            return HEADERS_TOO_LARGE
        if not hosts and self.parser.get_http_version() != "1.1":
            return None
        named = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        return None if named is not None and int(named[1] or 0) < 65536 else BAD_HOST

    @property
    def _is_served(self) -> bool:
        """Whether every request that has come was answered in full."""
        latest: RequestResponseCycle | None = self.cycle
        return latest is None or latest.response_complete

    def _expect_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_WITHIN_S, self._give_up)

    def _headers_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expect_something(self) -> None:
        """Something came that needs no answer: see that it is followed by something that does."""
        if self._is_served and self._deadline is None and not self.transport.is_closing():
            self._expect_headers()

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        """Tell why, unless an answer is on its way already, and end the connection."""
        if self.transport.is_closing():
            return
        if self._is_served or not self.cycle.response_started:
            self.transport.write(refusal.answer)
        self.transport.close()
