"""All routes of the OpenAI surface, under each of the prefixes that clients use."""

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.openai_api.auth import key_check
from flow2api.adapters.openai_api.chat import chat_routes
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.edge import edge
from flow2api.adapters.openai_api.envelope import EXCEPTION_HANDLERS
from flow2api.adapters.openai_api.images import image_routes
from flow2api.adapters.openai_api.media_links import media_routes
from flow2api.adapters.openai_api.models import model_routes
from flow2api.adapters.openai_api.videos import video_routes
from flow2api.domain.key_rules import KeyScope

PREFIXES = ("/v1", "/openai/v1", "/")
"""Where the routes are mounted: some clients leave the version out, some put the vendor in."""

_AREAS = frozenset({"models", "chat", "images", "videos", "media"})


def is_api_path(path: str) -> bool:
    """Whether a path that no route matched belongs to this surface, so that its callers expect OpenAI's envelope."""
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["openai", "v1"] or parts[:1] == ["v1"]:
        return True
    return bool(parts) and parts[0] in _AREAS


def create_router(doors: Doors) -> list[Router]:
    """The routers to be registered at the root of the application."""
    at_edge = edge(doors.clock, doors.notes)
    guarded: list[tuple[KeyScope | None, list[HTTPRouteHandler]]] = [
        (KeyScope.MODELS, model_routes(doors)),
        (None, chat_routes(doors)),  # what a chat makes is known by its model
        (KeyScope.IMAGES, image_routes(doors)),
        (KeyScope.VIDEOS, video_routes(doors)),
    ]
    routers = [
        Router(
            path=prefix,
            route_handlers=handlers,
            before_request=key_check(doors.authorize, scope),
            middleware=[at_edge],
            exception_handlers=EXCEPTION_HANDLERS,
            include_in_schema=False,
        )
        for scope, handlers in guarded
        for prefix in PREFIXES
    ]
    links = Router(
        path="/",
        route_handlers=media_routes(doors),
        middleware=[at_edge],
        exception_handlers=EXCEPTION_HANDLERS,
        include_in_schema=False,
    )
    return [*routers, links]
