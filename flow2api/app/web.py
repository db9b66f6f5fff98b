"""Puts the doors together into one ASGI application."""

from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import HTTPException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, RouteHandlerType, Scope, Send
from structlog.contextvars import bound_contextvars

from flow2api.adapters.admin_api import create_admin_routers, is_admin_path, openapi_config, outer_error_response
from flow2api.adapters.console import create_console_routers, error_page, is_console_path, plain_error
from flow2api.adapters.health import Readiness, health_handlers
from flow2api.adapters.openai_api import create_router, envelope_response, is_api_path, request_id_of
from flow2api.adapters.server import host_guard
from flow2api.app.composition import Services
from flow2api.app.doors import TlsHeaders, admin_doors, client_doors, console_doors, operator_doors

ErrorAnswer = Callable[[Request[Any, Any, Any], Exception], Response[Any]]

_ADMIN_ERRORS = outer_error_response(request_id_of)


class Application(Litestar):
    """Starts in two thirds of the framework's time, by two steps of its own that are of no use here.

    Should it take them by other names one day, it starts more slowly and is the same in all else.
    """

    def _validate_registration_value(self, value: ControllerRouterHandler) -> "RouteHandlerType | Router":
        """Take a router as it is: it is made for this application, which need not copy it with all that hangs on it."""
        if isinstance(value, Router):
            value.owner = self
            return value
        return super()._validate_registration_value(value)

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        """Leave out pydantic and attrs, which nothing here is made of: reading them where they are installed takes long."""
        return [*plugins, MsgspecDIPlugin()]


def create_app(services: Services, readiness: Readiness | None = None) -> Litestar:
    """The application; it answers well only while the services are `running`."""
    readiness = readiness or Readiness(services.storage.ping, lambda: services.problem)
    doors = client_doors(services)
    shared = operator_doors(services, doors)
    admin = admin_doors(services, shared)
    console = console_doors(services, shared, doors, readiness)
    # The client API stays out of it: a key is sent on purpose, and never by a browser that was led here.
    known = host_guard(services.settings.known_hosts)
    outside = _outside(error_page(console), console.tls_headers_of)
    return Application(
        route_handlers=[
            *create_router(doors),
            *create_admin_routers(admin, known),
            *create_console_routers(console, known),
            Router("/", route_handlers=health_handlers(readiness), middleware=[_identified(console.tls_headers_of)]),
        ],
        exception_handlers={HTTPException: outside, Exception: outside},
        openapi_config=openapi_config(admin, known),
        logging_config=None,
    )


def _outside(page: ErrorAnswer, tls_headers_of: TlsHeaders) -> ErrorAnswer:
    """The answer to what no door has answered: in OpenAI's envelope under its mounts, else a plain page or JSON."""

    def answer_outside(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        path = request.scope["path"]
        if is_api_path(path):
            return envelope_response(error, request)
        if is_admin_path(path):
            return _ADMIN_ERRORS(request, error)
        request_id = request_id_of(request.scope)
        with bound_contextvars(request_id=request_id):
            answer = page(request, error) if is_console_path(path) else plain_error(request, error, request_id)
        answer.headers["x-request-id"] = request_id
        answer.headers.update({name.decode(): value.decode() for name, value in tls_headers_of(request.scope)})
        return answer

    return answer_outside


def _identified(tls_headers_of: TlsHeaders) -> Callable[[ASGIApp], ASGIApp]:
    """Gives the answers beside the API, which has an edge of its own, the id of their request, and what browsers keep to."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def identify(scope: Scope, receive: Receive, send: Send) -> None:
            request_id = request_id_of(scope)

            async def send_with_id(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableScopeHeaders.from_message(message)["x-request-id"] = request_id
                    message["headers"] = [*message["headers"], *tls_headers_of(scope)]
                await send(message)

            with bound_contextvars(request_id=request_id):
                await app(scope, receive, send_with_id)

        return identify

    return wrap
