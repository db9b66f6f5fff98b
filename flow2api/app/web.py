"""Puts the doors together into one ASGI application."""

from collections.abc import Callable, Sequence
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from flow2api import __version__
from flow2api.adapters.admin_api import (
    AdminDoors,
    client_address,
    create_admin_routers,
    is_admin_path,
    openapi_config,
    outer_error_response,
)
from flow2api.adapters.console import (
    ConsoleDoors,
    create_console_routers,
    error_page,
    is_console_path,
    plain_error,
)
from flow2api.adapters.health import Readiness, health_handlers
from flow2api.adapters.openai_api import Doors, create_router, envelope_response, is_api_path, request_id_of
from flow2api.adapters.openai_api.links import base_url, came_by, reached_url
from flow2api.adapters.probe import look_outside
from flow2api.adapters.server import host_guard, in_time, strict_transport
from flow2api.adapters.vault import GatewayName
from flow2api.app.account_moves import AccountFiles
from flow2api.app.composition import Services
from flow2api.app.plugin_facts import plugin_facts
from flow2api.app.plugin_settings import PluginSettings
from flow2api.app.start_up import start_up_settings
from flow2api.app.support_bundle import packages, support_bundle
from flow2api.domain.usecases.run_in_playground import RunInPlayground
from flow2api.settings import Settings

ErrorAnswer = Callable[[Request[Any, Any, Any], Exception], Response[Any]]
TlsHeaders = Callable[[Any], Sequence[tuple[bytes, bytes]]]

_ADMIN_ERRORS = outer_error_response(request_id_of)


def create_app(services: Services, readiness: Readiness | None = None) -> Litestar:
    """The application; it answers well only while the services are `running`."""
    readiness = readiness or Readiness(services.storage.ping, lambda: services.problem)
    doors = _doors(services)
    admin = _admin_doors(services, doors)
    console = _console_doors(services, doors, readiness)
    # The client API stays out of it: a key is sent on purpose, and never by a browser that was led here.
    known = host_guard(services.settings.known_hosts)
    outside = _outside(error_page(console), console.tls_headers_of)
    return Litestar(
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


def _tls_headers(settings: Settings, doors: Doors) -> TlsHeaders:
    return lambda scope: strict_transport(came_by(doors, scope), settings.hsts_days)


def _doors(services: Services) -> Doors:
    settings = services.settings
    return Doors(
        catalog=services.catalog,
        routes=services.routes,
        authorize=services.authorize,
        generate=services.generate,
        ingest=services.ingest,
        generations=services.generations,
        media=services.media,
        options=services.options,
        clock=services.clock,
        pictures=services.pictures,
        chat_text=services.profiles.chat_text,
        allowance=services.limit.allowance,
        notes=services.recording.notes,
        public_url=settings.public_url or None,
        gateway_name=GatewayName(services.vault.ring),
        trusted_proxies=settings.trusted_proxies,
    )


def _admin_doors(services: Services, doors: Doors) -> AdminDoors:
    settings, operating = services.settings, services.operating
    return AdminDoors(
        sign_in=operating.sign_in,
        accounts=operating.accounts,
        restore=operating.restore,
        take_in=operating.take_in,
        census=operating.census,
        keys=operating.keys,
        reload_keys=services.authorize.load,
        options=services.options,
        clock=services.clock,
        request_id_of=request_id_of,
        base_url_of=lambda scope: base_url(doors, scope),
        reached_url_of=lambda scope: reached_url(doors, scope),
        tls_headers_of=_tls_headers(settings, doors),
        in_time=in_time,
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
        operators=operating.operators,
        drop_second_factor=operating.drop_second_factor,
        webhooks=operating.webhooks,
        reload_webhooks=services.telling.webhooks.load,
        notify_targets=operating.notify_targets,
        audit_log=operating.audit_log,
        timeline=operating.timeline,
        generations=operating.generations,
        refresh=services.refresh,
        simulate=services.simulate,
        policies=services.policies,
        upstreams=frozenset(services.upstreams),
        kinds=services.kinds,
        trusted_proxies=settings.trusted_proxies,
        open_metrics=settings.open_metrics,
        version=__version__,
    )


def _console_doors(services: Services, doors: Doors, readiness: Readiness) -> ConsoleDoors:
    settings, operating = services.settings, services.operating
    return ConsoleDoors(
        sign_in=operating.sign_in,
        set_up=operating.set_up,
        second_factor=operating.second_factor,
        drop_second_factor=operating.drop_second_factor,
        preferences=operating.preferences,
        operators=operating.operators,
        accounts=operating.accounts,
        account_of=services.pool.get,
        account_files=AccountFiles(services.kinds),
        act_on_accounts=operating.act_on_accounts,
        restore=operating.restore,
        browse=operating.browse,
        checks=operating.checks,
        credits=operating.credits,
        probes=operating.probes,
        take_in=operating.take_in,
        export=operating.export,
        import_accounts=operating.import_accounts,
        imports=operating.imports,
        refresh=services.refresh,
        census=operating.census,
        glance=services.overseeing.glance,
        timeline=operating.timeline,
        pool=services.pool,
        kinds=services.kinds,
        upstreams=frozenset(services.upstreams),
        proxies=operating.proxies,
        check_proxies=services.proxying.check,
        reload_proxies=services.proxying.choose.load,
        keys=operating.keys,
        reload_keys=services.authorize.load,
        used_today=services.limit.used_today,
        catalog=services.catalog,
        routes=services.routes,
        model_sources=services.model_sources,
        retired_names=services.retired_names,
        generate=services.generate,
        ingest=services.ingest,
        generations=operating.generations,
        find_prompts=operating.find_prompts,
        follow=services.followed,
        foresee_ends=services.overseeing.foresee_ends,
        operate_generations=services.operate_generations,
        previews=services.previews,
        results=services.generations,
        media=services.media,
        work=services.work,
        drain=services.overseeing.drain,
        backups=services.overseeing.backups,
        diagnosis=services.overseeing.diagnosis,
        room=services.room,
        dropped_lines=services.overseeing.doctor.dropped,
        loop_late_s=services.overseeing.lag.percentile_s,
        packages=packages(),
        panels=services.overseeing.panels,
        plugin_settings=PluginSettings(services.known_plugins, settings),
        plugins=plugin_facts(services.extensions, settings),
        started_at=services.clock.now(),
        support_bundle=lambda actor: support_bundle(services, actor),
        playground=RunInPlayground(
            services.generate,
            services.work,
            services.storage.generations,
            services.storage.audit_log,
            services.clock,
        ),
        most_picture_bytes=services.pictures.max_bytes,
        options=services.options,
        policies=services.policies,
        foresee=services.foresee,
        simulate=services.simulate,
        spans=services.recording.spans,
        statistics=services.recording.statistics,
        log=services.recording.log,
        log_counts=services.recording.counts,
        clear_log=operating.clear_log,
        audit_log=operating.audit_log,
        search=operating.search,
        connection=operating.connection,
        webhooks=operating.webhooks,
        reload_webhooks=services.telling.webhooks.load,
        notify_targets=operating.notify_targets,
        start_up=start_up_settings(settings),
        clock=services.clock,
        request_id_of=request_id_of,
        address_of=lambda scope: client_address(scope, settings.trusted_proxies),
        base_url_of=lambda scope: base_url(doors, scope),
        came_by_of=lambda scope: came_by(doors, scope),
        reached_url_of=lambda scope: reached_url(doors, scope),
        tls_headers_of=_tls_headers(settings, doors),
        in_time=in_time,
        is_draining=lambda: readiness.is_draining,
        takes_plain_http=settings.console_plain_http,
        look_outside=look_outside,
        public_url=settings.public_url,
        version=__version__,
    )
