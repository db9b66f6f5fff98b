"""Who asks: the key is taken from the headers and checked before anything of the body is read."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from flow2api.adapters.openai_api.doors import Authorizes
from flow2api.domain.api_key import ApiKey, Caller

_LONGEST_KEY = 512
_BEARER = b"bearer "

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


def presented_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The key that a request presents, or None.

    ``Authorization: Bearer`` comes before ``x-api-key`` and ``api-key``. The query string is never looked at: addresses
    end in logs.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in (b"authorization", b"x-api-key", b"api-key"):
            found.setdefault(name, value)
    bearer = found.get(b"authorization", b"")
    if bearer[: len(_BEARER)].lower() == _BEARER:
        candidates = [bearer[len(_BEARER) :], found.get(b"x-api-key"), found.get(b"api-key")]
    else:
        candidates = [found.get(b"x-api-key"), found.get(b"api-key")]
    key = next((value.strip() for value in candidates if value and value.strip()), None)
    # A key that is too long or no ASCII opens nothing, and what opens nothing need not be carried further.
    return None if key is None else key[:_LONGEST_KEY].decode("latin-1")


def key_guard(authorize: Authorizes) -> Guard:
    """A guard that lets only known keys pass and leaves the key in the connection's ``auth``."""

    async def require_key(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        presented = presented_key(connection.scope["headers"])
        connection.scope["auth"] = authorize.known(presented) or await authorize(presented)

    return require_key


def caller_of(scope: Any) -> Caller:
    """Who the request is made for; only behind :func:`key_guard`."""
    key: ApiKey = scope["auth"]
    return Caller(key_id=key.id, tag=key.tag)
