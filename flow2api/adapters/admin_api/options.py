"""Options of the server under the names that operators' tools know."""

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, actor_of, signed_in
from flow2api.adapters.admin_api.schemas import Body, Done
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.operator import Role

HttpRequest = Request[Any, Any, Any]

DEFAULT_KEY = "default"

CALL_MODES = {"default": "least_busy", "polling": "round_robin"}
"""The former words for a selection policy; every policy's own name is taken, too."""


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


class GenerationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How long generations may take, in seconds, and how often they are tried again on another account."""

    image_timeout: float
    video_timeout: float
    max_retries: int


class GenerationConfigAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How generations are tried."""

    config: GenerationConfig
    success: bool = True


class GenerationConfigBody(Body, frozen=True):
    """What is to change; what is left out stays."""

    image_timeout: float | None = None
    video_timeout: float | None = None
    max_retries: int | None = None


class CallLogic(msgspec.Struct, frozen=True, kw_only=True):
    """How accounts are chosen: ``default`` by load, ``polling`` in turn, else the policy's own name."""

    call_mode: str


class CallLogicAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How accounts are chosen."""

    config: CallLogic
    success: bool = True


class CallLogicBody(Body, frozen=True):
    """How accounts are to be chosen."""

    call_mode: str


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


def option_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers of options."""

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
        opt={LEAST_ROLE: Role.OWNER},
        tags=["options"],
    )
    async def set_api_key(request: HttpRequest, data: JSONBody[ApiKeyBody]) -> Done:
        """Let this text be the key named ``default``; the former one opens nothing from now on."""
        await doors.keys.set_text(DEFAULT_KEY, data.new_api_key, actor_of(doors, request.scope))
        await doors.reload_keys()
        return Done(message="The key named default was set.")

    generation = ["/api/config/generation", "/api/generation/timeout"]

    @get(generation, tags=["options"])
    async def generation_config() -> GenerationConfigAnswer:
        """How long generations may take, and how often they are tried again."""
        options = doors.options()
        return GenerationConfigAnswer(
            config=GenerationConfig(
                image_timeout=options.image_timeout_s,
                video_timeout=options.video_timeout_s,
                max_retries=options.max_attempts - 1,
            )
        )

    @post(generation, status_code=200, tags=["options"])
    async def set_generation_config(request: HttpRequest, data: JSONBody[GenerationConfigBody]) -> Done:
        """Set how long generations may take, and how often they are tried again."""
        values: dict[str, object] = {}
        for name, option in (("image_timeout", "image_timeout_s"), ("video_timeout", "video_timeout_s")):
            seconds = getattr(data, name)
            if seconds is not None:
                if seconds < 1:
                    raise UnsupportedInputError("A time-out is a second or more.", param=name)
                values[option] = seconds
        if data.max_retries is not None:
            values["max_attempts"] = data.max_retries + 1
        await doors.options.change(values, actor_of(doors, request.scope))
        return Done(message="The limits of generations were set.")

    @get("/api/call-logic/config", tags=["options"])
    async def call_logic() -> CallLogicAnswer:
        """How accounts are chosen."""
        policy = doors.options().policy
        mode = next((mode for mode, name in CALL_MODES.items() if name == policy), policy)
        return CallLogicAnswer(config=CallLogic(call_mode=mode))

    @post("/api/call-logic/config", status_code=200, tags=["options"])
    async def set_call_logic(request: HttpRequest, data: JSONBody[CallLogicBody]) -> Done:
        """Set how accounts are chosen."""
        policy = CALL_MODES.get(data.call_mode, data.call_mode)
        await doors.options.change({"policy": policy}, actor_of(doors, request.scope))
        return Done(message=f"Accounts are chosen by the policy {policy}.")

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

    return [
        admin_config,
        set_admin_config,
        set_api_key,
        generation_config,
        set_generation_config,
        call_logic,
        set_call_logic,
        token_refresh,
        set_token_refresh,
    ]
