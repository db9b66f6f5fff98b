"""HTTP/1.1 with a bound on what a client may send before it is served."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from flow2api.adapters.server.joined_writes import JoinedWrites

HEADER_BYTES = 16 * 1024
HEADERS_WITHIN_S = 30.0

_TOO_LARGE = (
    b'{"error":{"message":"The request headers are larger than 16 KiB.","type":"invalid_request_error",'
    b'"param":null,"code":"headers_too_large"}}'
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """Request line and headers have 16 KiB and 30 s; uvicorn itself bounds neither."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_reading_headers = False
        self._header_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: its first request has to come."""
        super().connection_made(transport)
        self.transport = JoinedWrites(transport, self.loop)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._headers_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers are complete."""
        before = self._header_bytes
        self._header_bytes += len(data)
        super().data_received(data)
        if not self._is_reading_headers:
            self._header_bytes = 0
        elif before + len(data) > HEADER_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if self._deadline is None:
            self._expect_headers()
        self._is_reading_headers = True

    def on_headers_complete(self) -> None:
        """Serve the request, unless its headers were too large although they came in one piece."""
        self._is_reading_headers = False
        self._headers_came()
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEADER_BYTES:
            served, self.app = self.app, _headers_too_large
            try:
                super().on_headers_complete()
            finally:
                self.app = served
        else:
            super().on_headers_complete()

    def _expect_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_WITHIN_S, self._give_up)

    def _headers_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self) -> None:
        head = (
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n"
        )
        self.transport.write(head + b"content-length: %d\r\n\r\n" % len(_TOO_LARGE) + _TOO_LARGE)
        self.transport.close()


async def _headers_too_large(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE})
