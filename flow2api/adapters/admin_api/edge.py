"""What every request and answer of this surface has in common, added at the outer edge of its routes."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

READ_TIMEOUT_S = 30.0
LEAST_BYTES_PER_S = 64 * 1024

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
    request_id_of: Callable[[Any], str], *, read_timeout_s: float = READ_TIMEOUT_S
) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware: request ids (in log lines, too), headers that keep answers private, bodies that arrive in time."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def at_edge(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            request_id = request_id_of(scope)
            own = [*HEADERS, (b"x-request-id", request_id.encode("ascii"))]
            names = {name for name, _ in own}

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    others = [one for one in message.get("headers", ()) if one[0].lower() not in names]
                    message["headers"] = [*others, *own]
                await send(message)

            with bound_contextvars(request_id=request_id):
                await app(scope, _in_time(scope, receive, read_timeout_s), send_with_headers)

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


def _in_time(scope: Scope, receive: Receive, read_timeout_s: float) -> Receive:
    """Receive a body that is not compressed, and is sent in time.

    Only waiting counts, not what is done with the parts that have come. The sender may be this long behind
    `LEAST_BYTES_PER_S` at any time.
    """
    left_s = read_timeout_s
    is_begun = is_whole = False
    now = asyncio.get_running_loop().time

    async def receive_in_time() -> Any:
        nonlocal left_s, is_begun, is_whole
        if is_whole:
            return await receive()
        if not is_begun:
            is_begun = True
            if not _is_taken(dict(scope["headers"])):
                raise HTTPException(status_code=415)
        try:
            began = now()
            async with asyncio.timeout(left_s):
                message: Any = await receive()
            earned_s = len(message.get("body", b"")) / LEAST_BYTES_PER_S
            left_s = min(left_s - (now() - began) + earned_s, read_timeout_s)
        except TimeoutError as cause:
            detail = "The body arrived too slowly and was given up; send it faster."
            raise HTTPException(detail=detail, status_code=408, extra={"code": "body_too_slow"}) from cause
        is_whole = not message.get("more_body", False)
        return message

    return receive_in_time
