"""What is done to one account at a time, and with session tokens that are not stored."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.schemas import Body, Done, Id
from flow2api.adapters.admin_api.token_views import UPSTREAM
from flow2api.domain.operator import Role
from flow2api.domain.usecases.manage_accounts import read_session_token

HttpRequest = Request[Any, Any, Any]


class CreditsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has left."""

    credits: int
    message: str
    success: bool = True


class RenewedToken(msgspec.Struct, frozen=True, kw_only=True):
    """An account whose access token is new."""

    id: int
    email: str
    at_expires: datetime | None


class RenewedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An account whose access token is new."""

    token: RenewedToken
    message: str
    success: bool = True


class SessionTokenBody(Body, frozen=True):
    """A session token."""

    st: str


class ExchangedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the service gave for a session token; nothing of it is stored."""

    access_token: str
    email: str
    expires: datetime | None
    message: str
    success: bool = True


def token_action_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""

    @post("/api/tokens/{token_id:int}/enable", status_code=200, tags=["accounts"])
    async def enable(request: HttpRequest, token_id: Id) -> Done:
        """Switch an account on; it starts anew as to faults of its own."""
        await doors.accounts.set_enabled(token_id, enabled=True, actor=actor_of(doors, request.scope))
        return Done(message="The account was enabled.")

    @post("/api/tokens/{token_id:int}/disable", status_code=200, tags=["accounts"])
    async def disable(request: HttpRequest, token_id: Id) -> Done:
        """Switch an account off; what it has begun goes on."""
        await doors.accounts.set_enabled(token_id, enabled=False, actor=actor_of(doors, request.scope))
        return Done(message="The account was disabled.")

    @post("/api/tokens/{token_id:int}/refresh-credits", status_code=200, tags=["accounts"])
    async def refresh_credits(request: HttpRequest, token_id: Id) -> CreditsAnswer:
        """Ask the service what an account has left."""
        account = await doors.accounts.refresh_credits(token_id, actor_of(doors, request.scope))
        return CreditsAnswer(credits=account.credits or 0, message="The service told the credits.")

    @post("/api/tokens/{token_id:int}/refresh-at", status_code=200, tags=["accounts"])
    async def refresh_at(request: HttpRequest, token_id: Id) -> RenewedAnswer:
        """Renew the access token of an account."""
        account = await doors.accounts.renew(token_id, actor_of(doors, request.scope))
        token = RenewedToken(id=account.id, email=account.email or "", at_expires=account.access_expires_at)
        return RenewedAnswer(token=token, message="The access token was renewed.")

    @post(
        "/api/tokens/st2at",
        status_code=200,
        opt={LEAST_ROLE: Role.OWNER},
        tags=["accounts"],
    )
    async def st2at(request: HttpRequest, data: JSONBody[SessionTokenBody]) -> ExchangedAnswer:
        """Exchange a session token without storing anything."""
        exchanged = await doors.take_in.exchange(UPSTREAM, read_session_token(data.st), actor_of(doors, request.scope))
        access_token = exchanged.credentials.access_token
        return ExchangedAnswer(
            access_token="" if access_token is None else access_token.reveal(),
            email=exchanged.email or "",
            expires=exchanged.credentials.expires_at,
            message="The service took the session token.",
        )

    return [enable, disable, refresh_credits, refresh_at, st2at]
