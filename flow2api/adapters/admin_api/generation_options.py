"""How generations are tried, and on which account, under the names that operators' tools know."""

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import actor_of
from flow2api.adapters.admin_api.schemas import Body, Done
from flow2api.domain.errors import UnsupportedInputError

HttpRequest = Request[Any, Any, Any]

CALL_MODES = {"default": "least_busy", "polling": "round_robin"}
"""The former words for a selection policy; every policy's own name is taken, too."""


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


def generation_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers of how generations are tried."""
    paths = ["/api/config/generation", "/api/generation/timeout"]

    @get(paths, tags=["options"])
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

    @post(paths, status_code=200, tags=["options"])
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
            if data.max_retries < 0:
                raise UnsupportedInputError("The number of retries is 0 or more.", param="max_retries")
            values["max_attempts"] = data.max_retries + 1
        await doors.options.change(values, actor_of(doors, request.scope))
        return Done(message="The limits of generations were set.")

    return [generation_config, set_generation_config]


def call_logic_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers of how accounts are chosen."""

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

    return [call_logic, set_call_logic]
