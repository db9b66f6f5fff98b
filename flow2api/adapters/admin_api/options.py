"""Options of the server under the names that operators' tools know."""

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import FRESH, LEAST_ROLE, actor_of, signed_in
from flow2api.adapters.admin_api.schemas import Body, Done
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.operator import Role

HttpRequest = Request[Any, Any, Any]

DEFAULT_KEY = "default"


class AdminConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, and what he runs.

    Attributes:
        api_key: How the key named ``default`` begins; empty when there is none.
        error_ban_threshold: Faults of its own in a row after which an account rests.
        debug_enabled: Whether the debug log is written.
    """

    admin_username: str
    api_key: str
    error_ban_threshold: int
    debug_enabled: bool


class AdminConfigBody(Body, frozen=True):
    """After how many faults of its own in a row an account rests."""

    error_ban_threshold: int


class ApiKeyBody(Body, frozen=True):
    """The text that is to be the key named ``default``."""

    new_api_key: str


class TokenRefresh(msgspec.Struct, frozen=True, kw_only=True):
    """Whether access tokens are renewed before they end."""

    at_auto_refresh_enabled: bool


class TokenRefreshAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether access tokens are renewed before they end."""

    config: TokenRefresh
    success: bool = True


class EnabledBody(Body, frozen=True):
    """On or off."""

    enabled: bool


def config_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers of what the former server kept together: the threshold, the key, the debug switch."""

    @get("/api/admin/config", tags=["options"])
    async def admin_config(request: HttpRequest) -> AdminConfig:
        """Who is signed in, and what he runs."""
        key = await doors.keys.named(DEFAULT_KEY)
        return AdminConfig(
            admin_username=signed_in(request.scope).operator.name,
            api_key="" if key is None else f"{key.prefix}***",
            error_ban_threshold=doors.options().error_threshold,
            debug_enabled=doors.options().debug_log,
        )

    @post("/api/admin/config", status_code=200, tags=["options"])
    async def set_admin_config(request: HttpRequest, data: JSONBody[AdminConfigBody]) -> Done:
        """Set after how many faults of its own in a row an account rests."""
        if data.error_ban_threshold < 1:
            raise UnsupportedInputError("The threshold is 1 or more.", param="error_ban_threshold")
        await doors.options.change({"error_threshold": data.error_ban_threshold}, actor_of(doors, request.scope))
        return Done(message=f"An account rests after {data.error_ban_threshold} faults of its own in a row.")

    @post(
        "/api/admin/apikey",
        status_code=200,
        opt={LEAST_ROLE: Role.OWNER, FRESH: True},
        tags=["options"],
    )
    async def set_api_key(request: HttpRequest, data: JSONBody[ApiKeyBody]) -> Done:
        """Let this text be the key named ``default``; the former one opens nothing from now on."""
        await doors.keys.set_text(DEFAULT_KEY, data.new_api_key, actor_of(doors, request.scope))
        await doors.reload_keys()
        return Done(message="The key named default was set.")

    return [admin_config, set_admin_config, set_api_key]


def renewal_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers of the keeper's switch."""

    @get("/api/token-refresh/config", tags=["options"])
    async def token_refresh() -> TokenRefreshAnswer:
        """Whether access tokens are renewed before they end."""
        return TokenRefreshAnswer(config=TokenRefresh(at_auto_refresh_enabled=doors.options().background_renewal))

    @post("/api/token-refresh/enabled", status_code=200, tags=["options"])
    async def set_token_refresh(request: HttpRequest, data: JSONBody[EnabledBody]) -> Done:
        """Set whether access tokens are renewed before they end."""
        await doors.options.change({"background_renewal": data.enabled}, actor_of(doors, request.scope))
        told = "are renewed before they end" if data.enabled else "are renewed by the requests that meet them"
        return Done(message=f"Access tokens {told}.")

    return [token_refresh, set_token_refresh]
