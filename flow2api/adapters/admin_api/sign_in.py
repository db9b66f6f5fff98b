"""Signing in and out."""

from typing import Any

import msgspec
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, signed_in, visitor_of
from flow2api.adapters.admin_api.schemas import Body, Done
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret

HttpRequest = Request[Any, Any, Any]


class LoginBody(Body, frozen=True):
    """Name and passphrase of an operator, and the code for who has a second factor."""

    username: str
    password: str
    code: str | None = None


class LoginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The session.

    Attributes:
        token: To be sent as ``Authorization: Bearer TOKEN``; it is shown this once.
    """

    token: str
    username: str
    success: bool = True


class PasswordBody(Body, frozen=True):
    """A new passphrase, and a new name if one is given."""

    old_password: str
    new_password: str
    username: str | None = None


def public_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The only handlers of this surface that need no session."""

    @post(["/api/admin/login", "/api/login"], status_code=200, tags=["session"])
    async def login(request: HttpRequest, data: JSONBody[LoginBody]) -> LoginAnswer:
        """Begin a session. Too many wrong tries make the next one wait, longer each time.

        An operator who has a second factor sends its present code too, or a recovery code; without one the answer to the
        right passphrase is 401 ``totp_required``. Each code is good once.
        """
        visitor = visitor_of(doors, request.scope)
        code = None if data.code is None else Secret(data.code)
        here, token = await doors.sign_in(data.username, Secret(data.password), visitor, code)
        return LoginAnswer(token=token.reveal(), username=here.operator.name)

    return [login]


def session_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """What somebody who is signed in does with his own session and passphrase, whatever his role."""
    everybody = {LEAST_ROLE: Role.VIEWER}

    @post(["/api/admin/logout", "/api/logout"], status_code=200, opt=everybody, tags=["session"])
    async def logout(request: HttpRequest) -> Done:
        """End this session."""
        await doors.sign_in.sign_out(signed_in(request.scope), visitor_of(doors, request.scope))
        return Done(message="Signed out.")

    @post(
        ["/api/admin/change-password", "/api/admin/password"],
        status_code=200,
        opt=everybody,
        tags=["session"],
    )
    async def change_password(request: HttpRequest, data: JSONBody[PasswordBody]) -> Done:
        """Take a new passphrase. Every other session ends, this one goes on."""
        await doors.sign_in.change_passphrase(
            signed_in(request.scope),
            Secret(data.old_password),
            Secret(data.new_password),
            visitor_of(doors, request.scope),
            name=data.username,
        )
        return Done(message="The passphrase was changed; every other session has ended.")

    return [logout, change_password]
