"""How long media is kept, under the name of the former server's cache."""

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, actor_of, signed_in
from flow2api.adapters.admin_api.schemas import Body, Done
from flow2api.domain.errors import NotAllowedError, UnsupportedInputError
from flow2api.domain.operator import Role
from flow2api.domain.usecases.sign_in import SignedIn

HttpRequest = Request[Any, Any, Any]

_HOUR_S = 3600


class CacheConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How media is kept.

    Attributes:
        enabled: Always true: what was made is kept here, for links of the service itself end soon.
        timeout: How long pictures are kept, in seconds; 0 for ever.
        base_url: What links begin with by option; empty to follow how the server is reached.
        effective_base_url: What they begin with for who asks.
    """

    enabled: bool
    timeout: int
    base_url: str
    effective_base_url: str


class CacheConfigAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How media is kept."""

    config: CacheConfig
    success: bool = True


class CacheEnabledBody(Body, frozen=True):
    """Only true is possible."""

    enabled: bool


class CacheConfigBody(Body, frozen=True):
    """What is to change; what is left out stays."""

    enabled: bool | None = None
    timeout: int | None = None
    base_url: str | None = None


class BaseUrlBody(Body, frozen=True):
    """What links are to begin with; empty to follow how the server is reached."""

    base_url: str


def cache_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers of kept media."""

    @get("/api/cache/config", tags=["media"])
    async def cache_config(request: HttpRequest) -> CacheConfigAnswer:
        """How long media is kept, and where links to it lead."""
        options = doors.options()
        config = CacheConfig(
            enabled=True,
            timeout=round(options.image_retention_h * _HOUR_S),
            base_url=options.media_base_url,
            effective_base_url=doors.base_url_of(request.scope),
        )
        return CacheConfigAnswer(config=config)

    @post("/api/cache/enabled", status_code=200, tags=["media"])
    async def set_cache_enabled(data: JSONBody[CacheEnabledBody]) -> Done:
        """Media is always kept; switching that off is refused."""
        _refuse_off(data.enabled)
        return Done(message="Media is kept.")

    @post("/api/cache/config", status_code=200, tags=["media"])
    async def set_cache_config(request: HttpRequest, data: JSONBody[CacheConfigBody]) -> Done:
        """Set how long pictures and videos are kept, and, for owners, where links to them lead."""
        _refuse_off(data.enabled)
        values: dict[str, object] = {}
        if data.timeout is not None:
            if data.timeout < 0:
                raise UnsupportedInputError("The time is 0 (for ever) or more seconds.", param="timeout")
            hours = data.timeout / _HOUR_S
            values |= {"image_retention_h": hours, "video_retention_h": hours}
        if data.base_url is not None:
            values |= _leading_to(data.base_url.strip(), doors.options().media_base_url, signed_in(request.scope))
        await doors.options.change(values, actor_of(doors, request.scope))
        return Done(message="How media is kept was set.")

    @post("/api/cache/base-url", status_code=200, opt={LEAST_ROLE: Role.OWNER}, tags=["media"])
    async def set_base_url(request: HttpRequest, data: JSONBody[BaseUrlBody]) -> Done:
        """Set what links to media begin with."""
        await doors.options.change({"media_base_url": data.base_url.strip()}, actor_of(doors, request.scope))
        return Done(message="The address of links was set.")

    return [cache_config, set_cache_enabled, set_cache_config, set_base_url]


def _leading_to(base_url: str, former: str, here: SignedIn) -> dict[str, object]:
    """The option for the address, where it is another one than before; the signatures of links are sent there."""
    if base_url == former:
        return {}
    if not here.operator.role.includes(Role.OWNER):
        raise NotAllowedError("Only an owner sets where links to media lead.")
    return {"media_base_url": base_url}


def _refuse_off(enabled: bool | None) -> None:
    if enabled is False:
        raise UnsupportedInputError("Media is always kept here; set how long by timeout, in seconds.", param="enabled")
