"""All routes of this surface; whatever is not named public here is behind a session."""

from litestar import Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from flow2api.adapters.admin_api.cache import cache_routes
from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.edge import edge
from flow2api.adapters.admin_api.errors import error_response, exception_handlers
from flow2api.adapters.admin_api.guards import Guard, connection_guard, session_guard
from flow2api.adapters.admin_api.moving import extension_routes, moving_routes
from flow2api.adapters.admin_api.options import option_routes
from flow2api.adapters.admin_api.proxies import proxy_routes
from flow2api.adapters.admin_api.records import record_routes
from flow2api.adapters.admin_api.resources import resource_routes
from flow2api.adapters.admin_api.sign_in import public_routes, session_routes
from flow2api.adapters.admin_api.system import health_routes, metrics_routes, system_routes
from flow2api.adapters.admin_api.token_actions import token_action_routes
from flow2api.adapters.admin_api.tokens import token_routes

MOST_BODY_BYTES = 1024 * 1024

_SESSION = "session"


def is_admin_path(path: str) -> bool:
    """Whether a path that no route matched belongs to this surface, so that its callers expect its errors."""
    return path.startswith(("/api/", "/schema/")) or path in ("/api", "/schema", "/metrics", "/health")


def create_admin_routers(doors: AdminDoors) -> list[Router]:
    """The routers to be registered at the root of the application."""
    guard = session_guard(doors)
    guarded = [
        *session_routes(doors),
        *option_routes(doors),
        *cache_routes(doors),
        *token_routes(doors),
        *token_action_routes(doors),
        *moving_routes(doors),
        *proxy_routes(doors),
        *record_routes(doors),
        *system_routes(doors),
        *resource_routes(doors),
    ]
    metrics = metrics_routes(doors)
    return [
        _router(doors, guarded, guard),
        _router(doors, [*public_routes(doors), *health_routes(doors)], None),
        _router(doors, extension_routes(doors), connection_guard(doors)),
        _router(doors, metrics, None if doors.open_metrics else guard),
    ]


def openapi_config(doors: AdminDoors) -> OpenAPIConfig:
    """The description of this surface at ``/schema``, for operators who are signed in."""
    return OpenAPIConfig(
        title="flow2api for operators",
        version=doors.version,
        openapi_router=_router(doors, [], session_guard(doors), path="/schema", is_shown=False),
        render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        components=Components(security_schemes={_SESSION: SecurityScheme(type="http", scheme="bearer")}),
    )


def _router(
    doors: AdminDoors,
    handlers: list[HTTPRouteHandler],
    guard: Guard | None,
    *,
    path: str = "/",
    is_shown: bool = True,
) -> Router:
    return Router(
        path=path,
        route_handlers=handlers,
        guards=[] if guard is None else [guard],
        middleware=[edge(doors.request_id_of)],
        exception_handlers=exception_handlers(error_response(doors.request_id_of)),
        request_max_body_size=MOST_BODY_BYTES,
        security=[] if guard is None else [{_SESSION: []}],
        include_in_schema=is_shown,
    )
