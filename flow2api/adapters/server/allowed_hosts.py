"""Keeps pages of other names from leading a browser here under a name of their own."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from flow2api.domain.allowed_hosts import is_allowed_host
from flow2api.domain.errors import HostNotAllowedError

Connection = ASGIConnection[Any, Any, Any, Any]


def host_guard(allowed: frozenset[str]) -> Callable[[Connection, BaseRouteHandler], Awaitable[None]]:
    """A guard for routes that trust the browser they are called from; it belongs in front of all others.

    Args:
        allowed: Names, as `flow2api.domain.allowed_hosts.host_names` gives them.
    """

    async def require_allowed_host(connection: Connection, _: BaseRouteHandler) -> None:
        named = [value for name, value in connection.scope["headers"] if name == b"host"]
        host = named[0].decode("latin-1") if len(named) == 1 else ""
        if not is_allowed_host(host, allowed):
            raise HostNotAllowedError(host)

    return require_allowed_host
