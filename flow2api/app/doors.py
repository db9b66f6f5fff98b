"""What each surface calls: the client API, the operators' JSON API, the console."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypedDict

from litestar.types import Receive

from flow2api import __version__
from flow2api.adapters.admin_api import AdminDoors, client_address
from flow2api.adapters.console import ConsoleDoors, ServerDoors
from flow2api.adapters.health import Readiness
from flow2api.adapters.openai_api import Doors, request_id_of
from flow2api.adapters.openai_api.links import base_url, came_by, reached_url
from flow2api.adapters.probe import look_outside
from flow2api.adapters.server import in_time, strict_transport
from flow2api.adapters.vault import GatewayName
from flow2api.app.account_moves import AccountFiles
from flow2api.app.composition import Services
from flow2api.app.current_options import CurrentOptions
from flow2api.app.plugin_facts import plugin_facts
from flow2api.app.plugin_settings import PluginSettings
from flow2api.app.start_up import start_up_settings
from flow2api.app.support_bundle import packages, support_bundle
from flow2api.domain.account import Account
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.check_proxies import CheckProxies
from flow2api.domain.usecases.clear_request_log import ClearRequestLog
from flow2api.domain.usecases.count_accounts import CountAccounts
from flow2api.domain.usecases.delete_accounts import RestoreAccounts
from flow2api.domain.usecases.drop_second_factor import DropSecondFactor
from flow2api.domain.usecases.find_prompts import FindPrompts
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.manage_connection_token import ManageConnectionToken
from flow2api.domain.usecases.manage_keys import ManageKeys
from flow2api.domain.usecases.manage_notify_targets import ManageNotifyTargets
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.domain.usecases.manage_webhooks import ManageWebhooks
from flow2api.domain.usecases.operate_accounts import OperateAccounts
from flow2api.domain.usecases.read_audit_log import ReadAuditLog
from flow2api.domain.usecases.read_request_log import ReadRequestLog
from flow2api.domain.usecases.read_statistics import ReadStatistics
from flow2api.domain.usecases.read_timeline import ReadTimeline
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.domain.usecases.run_in_playground import RunInPlayground
from flow2api.domain.usecases.sign_in import SignIn
from flow2api.domain.usecases.simulate_policies import SimulatePolicies
from flow2api.domain.usecases.take_in_account import TakeInAccount

TlsHeaders = Callable[[Any], Sequence[tuple[bytes, bytes]]]


class OperatorDoors(TypedDict):
    """What both surfaces of operators call, by the names under which `AdminDoors` and `ConsoleDoors` have it."""

    sign_in: SignIn
    operators: ManageOperators
    drop_second_factor: DropSecondFactor
    accounts: OperateAccounts
    account_of: Callable[[int], Account | None]
    take_in: TakeInAccount
    restore: RestoreAccounts
    refresh: RefreshAccount
    census: CountAccounts
    timeline: ReadTimeline
    kinds: CredentialKinds
    upstreams: frozenset[str]
    proxies: ManageProxies
    check_proxies: CheckProxies
    reload_proxies: Callable[[], Awaitable[None]]
    keys: ManageKeys
    reload_keys: Callable[[], Awaitable[None]]
    connection: ManageConnectionToken
    webhooks: ManageWebhooks
    reload_webhooks: Callable[[], Awaitable[None]]
    notify_targets: ManageNotifyTargets
    generations: LookUpGenerations
    find_prompts: FindPrompts
    options: CurrentOptions
    policies: Mapping[str, str]
    simulate: SimulatePolicies
    statistics: ReadStatistics
    log: ReadRequestLog
    clear_log: ClearRequestLog
    audit_log: ReadAuditLog
    clock: Clock
    request_id_of: Callable[[Any], str]
    base_url_of: Callable[[Any], str]
    reached_url_of: Callable[[Any], str]
    tls_headers_of: TlsHeaders
    in_time: Callable[[Receive], Receive]
    version: str


def client_doors(services: Services) -> Doors:
    """Those of the client API."""
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


def operator_doors(services: Services, doors: Doors) -> OperatorDoors:
    """Those of operators, whichever surface they come by; addresses are told as to clients, who call the given doors."""
    operating, entrance = services.operating, services.entrance
    return OperatorDoors(
        sign_in=entrance.sign_in,
        operators=entrance.operators,
        drop_second_factor=entrance.drop_second_factor,
        accounts=operating.accounts,
        account_of=services.pool.get,
        take_in=operating.take_in,
        restore=operating.restore,
        census=operating.census,
        refresh=services.refresh,
        timeline=operating.timeline,
        kinds=services.kinds,
        upstreams=frozenset(services.upstreams),
        proxies=operating.proxies,
        check_proxies=services.proxying.check,
        reload_proxies=services.proxying.choose.load,
        keys=operating.keys,
        reload_keys=services.authorize.load,
        connection=operating.connection,
        webhooks=operating.webhooks,
        reload_webhooks=services.telling.webhooks.load,
        notify_targets=operating.notify_targets,
        generations=operating.generations,
        find_prompts=operating.find_prompts,
        options=services.options,
        policies=services.policies,
        simulate=services.simulate,
        statistics=services.recording.statistics,
        log=services.recording.log,
        clear_log=operating.clear_log,
        audit_log=operating.audit_log,
        clock=services.clock,
        request_id_of=request_id_of,
        base_url_of=lambda scope: base_url(doors, scope),
        reached_url_of=lambda scope: reached_url(doors, scope),
        tls_headers_of=lambda scope: strict_transport(came_by(doors, scope), services.settings.hsts_days),
        in_time=in_time,
        version=__version__,
    )


def admin_doors(services: Services, shared: OperatorDoors) -> AdminDoors:
    """Those of the operators' JSON API."""
    settings, operating = services.settings, services.operating
    return AdminDoors(
        **shared,
        import_accounts=operating.import_accounts,
        push=operating.push,
        metrics=services.metrics,
        trusted_proxies=settings.trusted_proxies,
        open_metrics=settings.open_metrics,
    )


def console_doors(services: Services, shared: OperatorDoors, doors: Doors, readiness: Readiness) -> ConsoleDoors:
    """Those of the console."""
    settings, operating, entrance = services.settings, services.operating, services.entrance
    return ConsoleDoors(
        **shared,
        set_up=entrance.set_up,
        second_factor=entrance.second_factor,
        preferences=entrance.preferences,
        account_files=AccountFiles(services.kinds),
        act_on_accounts=operating.act_on_accounts,
        browse=operating.browse,
        checks=operating.checks,
        credits=operating.credits,
        probes=operating.probes,
        export=operating.export,
        imports=operating.imports,
        glance=services.overseeing.glance,
        pool=services.pool,
        used_today=services.limit.used_today,
        catalog=services.catalog,
        routes=services.routes,
        model_sources=services.model_sources,
        retired_names=services.retired_names,
        ingest=services.ingest,
        follow=services.followed,
        foresee_ends=services.overseeing.foresee_ends,
        operate_generations=services.operate_generations,
        previews=services.previews,
        results=services.generations,
        media=services.media,
        work=services.work,
        playground=_playground(services),
        most_picture_bytes=services.pictures.max_bytes,
        foresee=services.foresee,
        spans=services.recording.spans,
        log_counts=services.recording.counts,
        search=operating.search,
        panels=services.overseeing.panels,
        plugin_settings=PluginSettings(services.known_plugins, settings),
        plugins=plugin_facts(services.extensions, settings),
        server=_server_doors(services, readiness),
        address_of=lambda scope: client_address(scope, settings.trusted_proxies),
        came_by_of=lambda scope: came_by(doors, scope),
        takes_plain_http=settings.console_plain_http,
        is_alone=services.is_alone,
        look_outside=look_outside,
        public_url=settings.public_url,
    )


def _server_doors(services: Services, readiness: Readiness) -> ServerDoors:
    overseeing = services.overseeing
    return ServerDoors(
        backups=overseeing.backups,
        diagnosis=overseeing.diagnosis,
        drain=overseeing.drain,
        dropped_lines=overseeing.doctor.dropped,
        is_draining=lambda: readiness.is_draining,
        loop_late_s=overseeing.lag.percentile_s,
        packages=packages(),
        room=services.room,
        start_up=start_up_settings(services.settings),
        started_at=services.clock.now(),
        support_bundle=lambda actor: support_bundle(services, actor),
    )


def _playground(services: Services) -> RunInPlayground:
    storage = services.storage
    return RunInPlayground(services.generate, services.work, storage.generations, storage.audit_log, services.clock)
