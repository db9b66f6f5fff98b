"""All routes of the console; whatever is not a door is behind a session."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from flow2api.adapters.console.areas import CONTROLLERS, LIVE_VIEWS, OPEN_CONTROLLERS
from flow2api.adapters.console.assets import asset_routes
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.edge import edge
from flow2api.adapters.console.errors import exception_handlers
from flow2api.adapters.console.former import former_pages
from flow2api.adapters.console.guards import MOST_DOOR_BYTES, Guard, origin_guard, require_form_token, session_guard
from flow2api.adapters.console.live import News
from flow2api.adapters.console.set_up import SetUpController
from flow2api.adapters.console.sign_in import LanguageController, SignInController, SignOutController
from flow2api.adapters.console.visit import HttpRequest, Visit

MOST_FORM_BYTES = 1024 * 1024


def create_console_routers(doors: ConsoleDoors, known_host: Guard) -> list[Router]:
    """The routers to be registered at the root of the application.

    Args:
        known_host: Refuses requests that name a host which is not this server.
    """
    return [
        Router(
            "/",
            route_handlers=[*asset_routes(), *former_pages()],
            middleware=[edge(doors)],
            include_in_schema=False,
        ),
        # Whoever is looked at from outside may be reached by any name: that is what it is looked at for.
        _router(doors, list(OPEN_CONTROLLERS), origin_guard(doors)),
        _router(
            doors,
            [SetUpController, SignInController, LanguageController],
            known_host,
            origin_guard(doors),
            most_bytes=MOST_DOOR_BYTES,
        ),
        _router(
            doors,
            [SignOutController, *CONTROLLERS],
            known_host,
            origin_guard(doors),
            session_guard(doors),
            before_request=require_form_token,
        ),
    ]


def is_console_path(path: str) -> bool:
    """Whether a path that no route matched belongs to the console, so that its visitors expect a page."""
    return path == "/console" or path.startswith("/console/")


def _router(
    doors: ConsoleDoors,
    handlers: list[ControllerRouterHandler],
    *guards: Guard,
    before_request: Callable[[HttpRequest], Awaitable[None]] | None = None,
    most_bytes: int = MOST_FORM_BYTES,
) -> Router:
    news = News({one.name: one for one in LIVE_VIEWS})

    async def provide_doors() -> ConsoleDoors:
        return doors

    async def provide_news() -> News:
        return news

    async def provide_visit(request: HttpRequest) -> Visit:
        here: Any = request.scope["user"]
        return Visit(request, doors, here)

    return Router(
        "/",
        route_handlers=handlers,
        guards=guards,
        before_request=before_request,
        dependencies={"doors": Provide(provide_doors), "visit": Provide(provide_visit), "news": Provide(provide_news)},
        middleware=[edge(doors)],
        exception_handlers=exception_handlers(doors),
        request_max_body_size=most_bytes,
        include_in_schema=False,
    )
