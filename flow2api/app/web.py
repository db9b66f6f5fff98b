"""Puts the doors together into one ASGI application."""

from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.static_files import create_static_files_router

from flow2api import __version__
from flow2api.adapters.admin_api import (
    AdminDoors,
    create_admin_routers,
    is_admin_path,
    openapi_config,
    outer_error_response,
)
from flow2api.adapters.console import landing_handlers, plain_error, static_folder, template_config
from flow2api.adapters.health import Readiness, health_handlers
from flow2api.adapters.openai_api import Doors, create_router, envelope_response, is_api_path
from flow2api.adapters.openai_api.links import base_url, reached_url
from flow2api.adapters.openai_api.request_ids import request_id_of
from flow2api.app.composition import Services
from flow2api.domain.media import MediaKind

_SHOWN = 3
_ADMIN_ERRORS = outer_error_response(request_id_of)


def create_app(services: Services, readiness: Readiness | None = None) -> Litestar:
    """The application; it answers well only while the services are `running`."""
    readiness = readiness or Readiness(services.storage.ping)
    settings, doors = services.settings, _doors(services)
    admin = _admin_doors(services, doors)
    return Litestar(
        route_handlers=[
            *create_router(doors),
            *health_handlers(readiness),
            *landing_handlers(
                settings.public_url,
                _names(services, MediaKind.IMAGE),
                _names(services, MediaKind.VIDEO),
                len(services.catalog.listed()),
            ),
            *create_admin_routers(admin),
            create_static_files_router(path="/static", directories=[static_folder()]),
        ],
        exception_handlers={HTTPException: _outside, Exception: _outside},
        template_config=template_config(),
        openapi_config=openapi_config(admin),
        logging_config=None,
    )


def _outside(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer to what no door has answered: in OpenAI's envelope under its mounts, else a plain page or JSON."""
    path = request.scope["path"]
    if is_api_path(path):
        return envelope_response(error, request)
    if is_admin_path(path):
        return _ADMIN_ERRORS(request, error)
    return plain_error(request, error)


def _doors(services: Services) -> Doors:
    settings = services.settings
    return Doors(
        catalog=services.catalog,
        authorize=services.authorize,
        generate=services.generate,
        ingest=services.ingest,
        generations=services.generations,
        media=services.media,
        options=services.options,
        clock=services.clock,
        pictures=services.pictures,
        notes=services.recording.notes,
        public_url=settings.public_url or None,
        trusted_proxies=settings.trusted_proxies,
    )


def _admin_doors(services: Services, doors: Doors) -> AdminDoors:
    settings, operating = services.settings, services.operating
    return AdminDoors(
        sign_in=operating.sign_in,
        accounts=operating.accounts,
        take_in=operating.take_in,
        census=operating.census,
        keys=operating.keys,
        reload_keys=services.authorize.load,
        options=services.options,
        clock=services.clock,
        request_id_of=request_id_of,
        base_url_of=lambda scope: base_url(doors, scope),
        reached_url_of=lambda scope: reached_url(doors, scope),
        import_accounts=operating.import_accounts,
        connection=operating.connection,
        push=operating.push,
        proxies=operating.proxies,
        check_proxies=services.proxying.check,
        reload_proxies=services.proxying.choose.load,
        metrics=services.metrics,
        account_of=services.pool.get,
        statistics=services.recording.statistics,
        log=services.recording.log,
        clear_log=operating.clear_log,
        trusted_proxies=settings.trusted_proxies,
        open_metrics=settings.open_metrics,
        version=__version__,
    )


def _names(services: Services, kind: MediaKind) -> tuple[str, ...]:
    """A few names to begin with."""
    return tuple(one.id for one in services.catalog.listed() if one.kind is kind)[:_SHOWN]
