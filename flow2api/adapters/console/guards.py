"""Who may: every page but the doors is behind a session, and what changes something came from a page of ours."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import FormMultiDict
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from flow2api.adapters.console import sent_from
from flow2api.adapters.console.cookies import session_name
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import language_of, speak
from flow2api.domain.errors import NotAllowedError, NotSignedInError
from flow2api.domain.operator import Role
from flow2api.domain.usecases.sign_in import SignedIn

LEAST_ROLE = "least_role"
"""The key of a handler's ``opt`` that says which role it takes at least, where that differs from its method's."""

FORM_FIELD = "_csrf"
HEADER = "x-csrf-token"

MOST_FIELDS = 2000
MOST_DOOR_BYTES = 64 * 1024
"""What strangers may send: a name, a passphrase, a code."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})
_PURPOSE = b"console form"

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def session_guard(doors: ConsoleDoors) -> Guard:
    """Lets only operators pass who are signed in, and leaves them in the request's ``user``.

    Without a word of the handler's own, viewers may read and operators may change. The page is in the language that the
    operator prefers.
    """

    async def require_session(connection: Connection, handler: BaseRouteHandler) -> None:
        scope: Any = connection.scope
        try:
            here = await doors.sign_in.who(session_token(doors, connection))
        except NotSignedInError:
            await _note_page(connection)
            raise
        scope["user"] = here  # who is refused is told so within the frame
        preferred = here.operator.preferences.language
        if preferred is not None:
            speak(await language_of(preferred.value, ""))
        least: Role = handler.opt.get(LEAST_ROLE) or (Role.VIEWER if scope["method"] in _SAFE else Role.OPERATOR)
        if not here.operator.role.includes(least):
            raise NotAllowedError(f"This takes the role {least.value}; yours is {here.operator.role.value}.")

    return require_session


def origin_guard(doors: ConsoleDoors) -> Guard:
    """Refuses what a page of another site has a browser send, whatever else it brings."""

    async def require_own_origin(connection: Connection, _: BaseRouteHandler) -> None:
        scope: Any = connection.scope
        if scope["method"] in _SAFE:
            return
        site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
        is_own = site in _OWN_SITES if site is not None else True
        # Our pages send no referrer, and a browser then calls the origin of a form "null"; its word for the site holds.
        if origin is not None and not (origin == "null" and site == "same-origin"):
            is_own = is_own and _host(origin) in _hosts(doors, connection)
        if not is_own:
            raise NotAllowedError("This was sent by a page of another site; open the console and try there.")

    return require_own_origin


async def require_form_token(request: Request[Any, Any, Any]) -> None:
    """Refuses a change that does not carry the session's own form token.

    Raises:
        NotAllowedError: It does not.
    """
    if request.scope["method"] in _SAFE:
        return
    here: SignedIn = request.scope["user"]
    presented = request.headers.get(HEADER)
    if presented is None:
        form = await sent_form(request)
        sent_from.note(request, form)
        presented = str(form.get(FORM_FIELD, ""))
    if not hmac.compare_digest(presented.encode(), form_token(here).encode()):
        raise NotAllowedError("The page that sent this is out of date; open it again and repeat what you did.")


async def sent_form(request: Request[Any, Any, Any]) -> FormMultiDict:
    """What a form holds. One of more fields than any of ours has is not even taken apart: that alone would take a second.

    Raises:
        HTTPException: It is compressed, or has too many fields.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(status_code=415)
    kind = request.content_type[0]
    if kind == RequestEncodingType.URL_ENCODED and (await request.body()).count(b"&") >= MOST_FIELDS:
        raise HTTPException(status_code=413)
    return await request.form()


async def _note_page(connection: Connection) -> None:
    """Keep the page that a form stands on whose session is over; of a stranger no more is read than at the door."""
    if not isinstance(connection, Request) or connection.method in _SAFE or HEADER in connection.headers:
        return
    length = connection.headers.get("content-length", "")
    if length.isdecimal() and int(length) <= MOST_DOOR_BYTES:
        with suppress(HTTPException):
            sent_from.note(connection, await sent_form(connection))


def form_token(here: SignedIn) -> str:
    """What forms of this session carry; it is worth nothing in any other one."""
    return hmac.new(here.session.digest, _PURPOSE, hashlib.sha256).hexdigest()[:32]


def session_token(doors: ConsoleDoors, connection: Connection) -> str | None:
    """The session's token in its cookie. Headers and the query string are never looked at."""
    return connection.cookies.get(session_name(doors.came_by_of(connection.scope)))


def _hosts(doors: ConsoleDoors, connection: Connection) -> set[str]:
    reached = doors.reached_url_of(connection.scope)
    return {_host(reached), connection.headers.get("host", "").lower()} - {""}


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()
