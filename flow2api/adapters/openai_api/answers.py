"""Small answers, sent as they are: bytes that are ready, without a framework's rendering in between."""

import msgspec
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from flow2api.adapters.openai_api.cors import HeaderList


def is_head(scope: Scope) -> bool:
    """Whether only the headers are wanted."""
    return scope["type"] == ScopeType.HTTP and scope["method"] == "HEAD"


class Answer:
    """What a handler returns: an ASGI application that sends one response."""

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        raise NotImplementedError


class Json(Answer):
    """A JSON document with status 200, or only its headers for HEAD."""

    __slots__ = ("_body", "_headers")

    def __init__(self, document: object, headers: HeaderList | None = None) -> None:
        """Take ``document`` as it is when it is bytes already, else encode it."""
        self._body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        self._headers = headers or []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self._body)),
            (b"cache-control", b"no-store"),
            *self._headers,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = b"" if is_head(scope) else self._body
        await send({"type": "http.response.body", "body": body, "more_body": False})
