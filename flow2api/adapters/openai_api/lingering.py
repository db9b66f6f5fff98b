"""Refusing a body in the middle so that the sender still hears why.

A server that closes the connection while the client is sending resets it, and the answer is lost. So the answer goes out
first, then a little more of the body is let in and dropped, then the connection ends.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

LINGER_S = 2.0


class LingeringResponse(Response[bytes]):
    """A response to a request whose body is still on its way; the connection ends after it."""

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIResponse:
        """The response as an ASGI application."""
        plain = super().to_asgi_response(*args, **kwargs)
        return _Lingering(plain.status_code, plain.body, plain.headers.items())


class _Lingering(ASGIResponse):
    def __init__(self, status_code: int, body: bytes | str, headers: Iterable[tuple[str, str]]) -> None:
        super().__init__(body=body, status_code=status_code, headers=[*headers, ("connection", "close")])

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Send all of it, then wait for the client to stop, but not for long."""
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        try:
            async with asyncio.timeout(LINGER_S):
                await _drop_rest(receive)
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drop_rest(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
