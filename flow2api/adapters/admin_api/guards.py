"""Who may: every route of this surface but the sign-in is behind a session, and what changes something behind a role."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from flow2api.adapters.admin_api.addresses import client_address
from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.domain.audit import Actor
from flow2api.domain.errors import ConnectionTokenError, NotAllowedError, SessionTooOldError
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.sign_in import SignedIn, Visitor

LEAST_ROLE = "least_role"
"""The key of a handler's ``opt`` that says which role it takes at least, where that differs from its method's."""

FRESH = "fresh_session"
"""The key of a handler's ``opt`` that says that it takes a session which has just begun."""

DOOR = "admin_api"

_BEARER = b"bearer "
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_TOKEN = 512

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def session_guard(doors: AdminDoors) -> Guard:
    """Lets only operators pass who are signed in, and leaves them in the request's ``user``.

    Without a word of the handler's own, viewers may read and operators may change.
    """

    async def require_session(connection: Connection, handler: BaseRouteHandler) -> None:
        scope: Any = connection.scope
        here = await doors.sign_in.who(presented_token(scope))
        least: Role = handler.opt.get(LEAST_ROLE) or (Role.VIEWER if scope["method"] in _SAFE else Role.OPERATOR)
        if not here.operator.role.includes(least):
            raise NotAllowedError(f"This takes the role {least.value}; yours is {here.operator.role.value}.")
        if handler.opt.get(FRESH):
            require_fresh(doors, here)
        scope["user"] = here

    return require_session


def require_fresh(doors: AdminDoors, here: SignedIn) -> None:
    """Refuse a session whose passphrase was given long ago: its token may be somebody else's by now.

    Raises:
        SessionTooOldError: It was.
    """
    if not here.session.is_fresh(doors.clock.now()):
        raise SessionTooOldError


def connection_guard(doors: AdminDoors) -> Guard:
    """Lets only the browser extension pass, by its own token."""

    async def require_connection(connection: Connection, _: BaseRouteHandler) -> None:
        token = presented_token(connection.scope)
        if token is None or not await doors.connection.accepts(Secret(token)):
            raise ConnectionTokenError

    return require_connection


def presented_token(scope: Any) -> str | None:
    """The bearer token of a request. The query string and cookies are never looked at."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            if value[: len(_BEARER)].lower() != _BEARER:
                return None
            token: str = value[len(_BEARER) :].strip()[:_LONGEST_TOKEN].decode("latin-1")
            return token or None
    return None


def signed_in(scope: Any) -> SignedIn:
    """Who asks; only behind the guard."""
    here: SignedIn = scope["user"]
    return here


def visitor_of(doors: AdminDoors, scope: Any) -> Visitor:
    """Who is at the door."""
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    return Visitor(
        door=DOOR,
        address=client_address(scope, doors.trusted_proxies),
        agent=agent.decode("latin-1"),
        request_id=doors.request_id_of(scope),
    )


def actor_of(doors: AdminDoors, scope: Any) -> Actor:
    """Who does what this request asks for, for the audit log; only behind the guard."""
    operator = signed_in(scope).operator
    return visitor_of(doors, scope).acting(operator.name, operator.id)
