"""``/api/admin/sessions``: where the operator who asks is signed in."""

from datetime import datetime

import msgspec
from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, signed_in, visitor_of
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest
from flow2api.domain.operator import Role
from flow2api.domain.session import OperatorSession


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session.

    Attributes:
        id: Its public name, which opens nothing.
        is_this: Whether the request came by it.
        address: Where the sign-in came from; null when nobody knows.
        agent: What the client called itself then.
    """

    id: str
    is_this: bool
    address: str | None
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    """Every session of the operator that lives, newest first."""

    items: tuple[SessionView, ...]
    next_cursor: str | None = None


class Ended(msgspec.Struct, frozen=True):
    """How many sessions have ended."""

    ended: int


def session_resource_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers; everybody has his own sessions, whatever his role."""
    everybody = {LEAST_ROLE: Role.VIEWER}

    @get(f"{PREFIX}/sessions", tags=["sessions"])
    async def list_sessions(request: HttpRequest) -> Sessions:
        """Your own sessions, in which you were seen to the minute."""
        here = signed_in(request.scope)
        found = await doors.sign_in.sessions_of(here.operator)
        return Sessions(items=tuple(_view(one, here.session) for one in found))

    @delete(f"{PREFIX}/sessions/{{session_id:str}}", opt=everybody, tags=["sessions"])
    async def end_session(request: HttpRequest, session_id: FromPath[str]) -> None:
        """End one of your own sessions; this one, too."""
        await doors.sign_in.end_session(signed_in(request.scope), session_id, visitor_of(doors, request.scope))

    @post(f"{PREFIX}/sessions/end-others", status_code=200, opt=everybody, tags=["sessions"])
    async def end_other_sessions(request: HttpRequest) -> Ended:
        """End every session of your own but this one."""
        return Ended(await doors.sign_in.end_others(signed_in(request.scope), visitor_of(doors, request.scope)))

    return [list_sessions, end_session, end_other_sessions]


def _view(one: OperatorSession, this: OperatorSession) -> SessionView:
    return SessionView(
        id=one.id,
        is_this=one.id == this.id,
        address=one.address,
        agent=one.agent,
        created_at=one.created_at,
        seen_at=one.seen_at,
        expires_at=one.expires_at,
    )
