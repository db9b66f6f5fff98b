"""What every request and answer of this surface has in common, added at the outer edge of its routes."""

from collections.abc import Callable, Sequence
from typing import Any

from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
"""There is no header that would let a page of another origin read anything here."""


def edge(
    request_id_of: Callable[[Any], str],
    in_time: Callable[[Receive], Receive],
    tls_headers_of: Callable[[Any], Sequence[tuple[bytes, bytes]]],
) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware: request ids (in log lines, too), headers that keep answers private, bodies that arrive in time.

    Args:
        in_time: Gives up what is sent too slowly.
        tls_headers_of: What an answer says more when its request, by its scope, came over TLS.
    """

    def wrap(app: ASGIApp) -> ASGIApp:
        async def at_edge(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            request_id = request_id_of(scope)
            own = [*HEADERS, *tls_headers_of(scope), (b"x-request-id", request_id.encode("ascii"))]
            names = {name for name, _ in own}

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    others = [one for one in message.get("headers", ()) if one[0].lower() not in names]
                    message["headers"] = [*others, *own]
                await send(message)

            with bound_contextvars(request_id=request_id):
                await app(scope, _only_taken(scope, in_time(receive)), send_with_headers)

        return at_edge

    return wrap


def _is_taken(headers: dict[bytes, bytes]) -> bool:
    """Whether a body, if there is one, is what may come here: JSON that says so, and not compressed.

    A page of another origin can send any other type without asking first: it would try passphrases from the operator's
    own address. Tools that say no type at all are no pages, which always tell their origin.
    """
    if headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers:
        return True
    if headers.get(b"content-encoding", b"identity") != b"identity":
        return False
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    return kind == b"application/json" or (not kind and b"origin" not in headers)


def _only_taken(scope: Scope, receive: Receive) -> Receive:
    """Receive a body only if it is one that is taken here; else 415 is raised before anything of it is read."""
    is_begun = False

    async def receive_taken() -> Any:
        nonlocal is_begun
        if not is_begun:
            is_begun = True
            if not _is_taken(dict(scope["headers"])):
                raise HTTPException(status_code=415)
        return await receive()

    return receive_taken
