"""All routes of this surface; whatever is not named public here is behind a session."""

from litestar import Router
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from flow2api.adapters.admin_api.cache import cache_routes
from flow2api.adapters.admin_api.description import COMPONENTS, CONNECTION, SESSION, describe_errors
from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.edge import edge
from flow2api.adapters.admin_api.errors import error_response, exception_handlers
from flow2api.adapters.admin_api.generation_options import call_logic_routes, generation_routes
from flow2api.adapters.admin_api.guards import Connection, Guard, connection_guard, session_guard
from flow2api.adapters.admin_api.moving import extension_routes, moving_routes
from flow2api.adapters.admin_api.options import config_routes, renewal_routes
from flow2api.adapters.admin_api.proxies import proxy_routes
from flow2api.adapters.admin_api.records import record_routes
from flow2api.adapters.admin_api.resources import resource_routes
from flow2api.adapters.admin_api.sign_in import public_routes, session_routes
from flow2api.adapters.admin_api.system import health_routes, metrics_routes, system_routes
from flow2api.adapters.admin_api.token_actions import token_action_routes
from flow2api.adapters.admin_api.tokens import token_change_routes, token_list_routes

MOST_BODY_BYTES = 1024 * 1024


def is_admin_path(path: str) -> bool:
    """Whether a path that no route matched belongs to this surface, so that its callers expect its errors."""
    return path.startswith(("/api/", "/schema/")) or path in ("/api", "/schema", "/metrics", "/health")


def create_admin_routers(doors: AdminDoors, *guards: Guard) -> list[Router]:
    """The routers to be registered at the root of the application.

    Args:
        guards: What stands in front of everything that people do here; probes, scrapers and the extension pass it by.
    """
    guard = session_guard(doors)
    guarded = [
        *session_routes(doors),
        *config_routes(doors),
        *renewal_routes(doors),
        *generation_routes(doors),
        *call_logic_routes(doors),
        *cache_routes(doors),
        *token_list_routes(doors),
        *token_change_routes(doors),
        *token_action_routes(doors),
        *moving_routes(doors),
        *proxy_routes(doors),
        *record_routes(doors),
        *system_routes(doors),
        *resource_routes(doors),
    ]
    metrics = metrics_routes(doors)
    return [
        _router(doors, guarded, *guards, guard, scheme=SESSION),
        _router(doors, public_routes(doors), *guards),
        _router(doors, health_routes(doors)),
        _router(doors, extension_routes(doors), connection_guard(doors), scheme=CONNECTION),
        _router(doors, metrics) if doors.open_metrics else _router(doors, metrics, guard, scheme=SESSION),
    ]


def openapi_config(doors: AdminDoors, *guards: Guard) -> OpenAPIConfig:
    """The description of this surface at ``/schema``, for operators who are signed in.

    Args:
        guards: What stands in front of the session.
    """
    return OpenAPIConfig(
        title="flow2api for operators",
        version=doors.version,
        openapi_router=_router(doors, [], *guards, session_guard(doors), _known_page, path="/schema", is_shown=False),
        render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        components=COMPONENTS,
        use_handler_docstrings=True,
    )


async def _known_page(connection: Connection, _: BaseRouteHandler) -> None:
    """Refuses what the framework would answer with a page of its own: the description's pages have no parameters."""
    if connection.scope["path_params"]:
        raise NotFoundException


def _router(
    doors: AdminDoors,
    handlers: list[HTTPRouteHandler],
    *guards: Guard,
    path: str = "/",
    scheme: str | None = None,
    is_shown: bool = True,
) -> Router:
    describe_errors(handlers, scheme)
    return Router(
        path=path,
        route_handlers=handlers,
        guards=guards,
        middleware=[edge(doors.request_id_of, doors.in_time, doors.tls_headers_of)],
        exception_handlers=exception_handlers(error_response(doors.request_id_of)),
        request_max_body_size=MOST_BODY_BYTES,
        security=[] if scheme is None else [{scheme: []}],
        include_in_schema=is_shown,
    )
