"""Builds every use case, once, over what the settings choose."""

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace

from flow2api import __version__
from flow2api.adapters.fetch.picture_fetcher import GuardedFetcher
from flow2api.adapters.imaging.pictures import PillowPictures
from flow2api.adapters.imaging.stills import PyAvVideoStills
from flow2api.adapters.imaging.workers import Workers
from flow2api.adapters.metrics import CountedJournal, Exposition
from flow2api.adapters.system import RandomIds, SystemClock
from flow2api.adapters.system.logs import context_of
from flow2api.adapters.vault import Argon2Passphrases, HmacLinkSigner, TotpCodes, ZxcvbnMeter
from flow2api.app.backends import Backends, Vault, build_backends, build_vault
from flow2api.app.current_options import CurrentOptions, build_options
from flow2api.app.generating import Policies, Tending, build_running, build_tending
from flow2api.app.known_plugins import KnownPlugins
from flow2api.app.operating import Operating, build_operating
from flow2api.app.overseeing import Overseeing, build_overseeing
from flow2api.app.profiles import Profiles
from flow2api.app.proxying import Proxying, build_proxying
from flow2api.app.recording import Recording, build_recording
from flow2api.app.relaying import build_relay, news_of_changes
from flow2api.app.telling import Telling, build_telling
from flow2api.domain.account import Tier
from flow2api.domain.catalog import ModelCatalog, ModelRoutes
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.coordination import Coordination
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.usecases.authorize_key import AuthorizeKey
from flow2api.domain.usecases.count_retired_names import CountRetiredNames
from flow2api.domain.usecases.draw_previews import DrawPreviews
from flow2api.domain.usecases.draw_stills import DrawStills
from flow2api.domain.usecases.follow_changes import FollowChanges
from flow2api.domain.usecases.follow_generations import FollowGenerations
from flow2api.domain.usecases.foresee_choices import ForeseeChoices
from flow2api.domain.usecases.forget_health import ForgetHealth
from flow2api.domain.usecases.generate import Generate
from flow2api.domain.usecases.guard_upstreams import GuardUpstreams
from flow2api.domain.usecases.ingest_pictures import IngestPictures
from flow2api.domain.usecases.job import Audience
from flow2api.domain.usecases.keep_products import KeepProducts
from flow2api.domain.usecases.limit_requests import LimitRequests
from flow2api.domain.usecases.operate_generations import OperateGenerations
from flow2api.domain.usecases.probe_accounts import ProbeAccounts
from flow2api.domain.usecases.purge_media import PurgeMedia
from flow2api.domain.usecases.read_generations import ReadGenerations
from flow2api.domain.usecases.reclaim_leases import ReclaimLeases
from flow2api.domain.usecases.recover_generations import RecoverGenerations
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.domain.usecases.relay_events import RelayEvents
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.serve_media import ServeMedia
from flow2api.domain.usecases.simulate_policies import SimulatePolicies
from flow2api.domain.usecases.warm_accounts import WarmAccounts
from flow2api.domain.usecases.watch_breakers import WatchBreakers
from flow2api.domain.usecases.watch_operations import WatchOperations
from flow2api.domain.usecases.watch_proxies import WatchProxies
from flow2api.domain.usecases.watch_room import WatchRoom
from flow2api.domain.usecases.work import Work
from flow2api.extensions import Extensions
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The program: every use case, and the ports that have to be opened and closed."""

    settings: Settings
    extensions: Extensions
    known_plugins: KnownPlugins
    clock: Clock
    options: CurrentOptions
    catalog: ModelCatalog
    routes: ModelRoutes
    model_sources: Mapping[str, str]
    vault: Vault
    storage: Storage
    store: MediaStore
    upstreams: Mapping[str, Upstream]
    kinds: CredentialKinds
    pool: AccountPool
    profiles: Profiles
    pictures: PillowPictures
    workers: Workers
    authorize: AuthorizeKey
    operating: Operating
    overseeing: Overseeing
    metrics: Exposition
    recording: Recording
    telling: Telling
    proxying: Proxying
    relay: RelayEvents | None
    coordination: Coordination
    generate: Generate
    limit: LimitRequests
    ingest: IngestPictures
    generations: ReadGenerations
    media: ServeMedia
    credentials: RenewCredentials
    warm: WarmAccounts
    watch: WatchOperations
    work: Work
    recover: RecoverGenerations
    follow: FollowChanges
    followed: FollowGenerations
    operate_generations: OperateGenerations
    previews: DrawPreviews
    purge: PurgeMedia
    room: WatchRoom
    leases: ReclaimLeases
    guard: GuardUpstreams
    health: ForgetHealth
    refresh: RefreshAccount
    foresee: ForeseeChoices
    simulate: SimulatePolicies
    retired_names: CountRetiredNames
    policies: Mapping[str, str]

    @property
    def problem(self) -> str | None:
        """What keeps the server from taking work although it answers, as a stable code; None when nothing does."""
        return "draining" if self.work.is_held else self.room.problem


def build_services(settings: Settings, extensions: Extensions) -> Services:
    """The only place that picks storage, stores, upstreams and policies by name.

    Raises:
        ConfigurationError: A setting or option names what no plugin offers.
    """
    clock = SystemClock()
    vault = build_vault(settings)
    return compose(settings, extensions, build_backends(settings, extensions, vault, clock), vault, clock)


def compose(settings: Settings, extensions: Extensions, backends: Backends, vault: Vault, clock: Clock) -> Services:
    """Every use case over the given backends; tests give their own.

    Raises:
        ConfigurationError: An option names what no plugin offers.
    """
    core = _core(settings, extensions, backends, vault, clock)
    storage, store = core.storage, core.backends.store
    authorize = AuthorizeKey(storage.api_keys, vault.cipher, clock, core.limit.follow)
    media = ServeMedia(storage.media, store, HmacLinkSigner(vault.ring), clock)
    refresh = _refresh(core)
    operating = _operating(core, refresh)
    return _services(core, Workers(), authorize, media, _telling(core, media), operating, refresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """What nearly everything else works over.

    Attributes:
        backends: With upstreams whose calls take the way that proxies give them.
        audience: Who follows the generations of this process.
    """

    settings: Settings
    extensions: Extensions
    known_plugins: KnownPlugins
    backends: Backends
    vault: Vault
    clock: Clock
    ids: Ids
    options: CurrentOptions
    policies: Policies
    pool: AccountPool
    proxying: Proxying
    tending: Tending
    room: WatchRoom
    journal: CountedJournal
    recording: Recording
    work: Work
    limit: LimitRequests
    relay: RelayEvents | None
    audience: Audience

    @property
    def storage(self) -> Storage:
        """That of the backends."""
        return self.backends.storage


def _core(settings: Settings, extensions: Extensions, backends: Backends, vault: Vault, clock: Clock) -> _Core:
    ids, storage = RandomIds(), backends.storage
    policies = Policies(extensions, clock)
    known_plugins = KnownPlugins(extensions, settings.plugins_dir)
    options = build_options(settings, extensions, backends, clock, known_plugins)
    pool = AccountPool(backends.coordination.slots, clock, most_running=lambda: options().max_running)
    proxying = build_proxying(extensions, storage, pool, options, clock)
    backends = replace(backends, upstreams=proxying.routed(backends.upstreams))
    tending = build_tending(backends, pool, proxying.routes, clock, options)
    room = WatchRoom(backends.store, clock, options)
    products = KeepProducts(backends.upstreams, tending.credentials, backends.store, room, ids, clock, options)
    run = build_running(backends, tending, products, lambda: policies(options().policy), clock, options)
    journal = CountedJournal(storage.journal)
    recording = build_recording(settings, storage, journal, options, clock, backends.catalog.kind_of)
    work = Work(_owner(), run, recording.notes, clock, context_of, lambda account_id: _tier_in(pool, account_id))
    limit = LimitRequests(
        backends.coordination.limits, options, statistics=storage.statistics, clock=clock, under_way=work.under_way
    )
    work.subscribe_to_ends(limit.ended)
    return _Core(
        settings=settings,
        extensions=extensions,
        known_plugins=known_plugins,
        backends=backends,
        vault=vault,
        clock=clock,
        ids=ids,
        options=options,
        policies=policies,
        pool=pool,
        proxying=proxying,
        tending=tending,
        room=room,
        journal=journal,
        recording=recording,
        work=work,
        limit=limit,
        relay=build_relay(backends.coordination, work, clock),
        audience=Audience(),
    )


def _services(
    core: _Core,
    workers: Workers,
    authorize: AuthorizeKey,
    media: ServeMedia,
    telling: Telling,
    operating: Operating,
    refresh: RefreshAccount,
) -> Services:
    backends, storage, store, tending = core.backends, core.storage, core.backends.store, core.tending
    catalog, clock, options = backends.catalog, core.clock, core.options
    pictures, stills, generate = PillowPictures(workers), PyAvVideoStills(workers), _generate(core)
    return Services(
        settings=core.settings,
        extensions=core.extensions,
        known_plugins=core.known_plugins,
        retired_names=CountRetiredNames(storage.generation_directory, catalog.retired()),
        clock=clock,
        options=options,
        catalog=catalog,
        routes=ModelRoutes(catalog, lambda: options().model_routes, lambda: options().models_off),
        model_sources=backends.model_sources,
        vault=core.vault,
        storage=storage,
        store=store,
        upstreams=backends.upstreams,
        kinds=backends.kinds,
        pool=core.pool,
        profiles=Profiles(core.extensions.profiles, options),
        pictures=pictures,
        workers=workers,
        authorize=authorize,
        operating=operating,
        overseeing=_overseeing(core, operating),
        metrics=Exposition(operating.census, core.journal, lambda: len(core.work), __version__, tending.guard.statuses),
        recording=core.recording,
        telling=telling,
        proxying=core.proxying,
        relay=core.relay,
        coordination=backends.coordination,
        generate=generate,
        limit=core.limit,
        ingest=IngestPictures(pictures, GuardedFetcher(), store, storage.media, core.ids, clock, options),
        generations=ReadGenerations(
            storage.generations, storage.media, store, media, DrawStills(stills), core.work, clock
        ),
        followed=FollowGenerations(core.work, storage.generations, storage.generation_directory, storage.media),
        operate_generations=_operate_generations(core, generate),
        previews=DrawPreviews(pictures, stills),
        media=media,
        credentials=tending.credentials,
        warm=tending.warm,
        watch=tending.watch,
        work=core.work,
        recover=_recover(core, authorize),
        follow=_follow(core, authorize, telling),
        purge=PurgeMedia(storage.media, store, clock, storage.ping),
        room=core.room,
        leases=ReclaimLeases(core.pool, clock),
        guard=tending.guard,
        health=ForgetHealth(storage.health, clock, options),
        refresh=refresh,
        policies={one.name: one.summary for one in core.extensions.policies.values()},
        foresee=ForeseeChoices(core.pool, core.backends.catalog, core.policies.fresh()),
        simulate=_simulate(core, authorize),
    )


def _generate(core: _Core) -> Generate:
    return Generate(
        core.work,
        core.pool,
        core.storage.generations,
        core.storage.media,
        core.audience,
        core.ids,
        core.clock,
        core.options,
        room=core.room,
        lease_s=core.settings.lease_s,
        left_alone_s=core.tending.guard.wait_s,
        places_left_alone=core.tending.guard.places_left_alone,
        limit=core.limit,
        relay=core.relay,
    )


def _recover(core: _Core, authorize: AuthorizeKey) -> RecoverGenerations:
    return RecoverGenerations(
        core.work,
        core.backends.catalog,
        core.storage.generations,
        core.audience,
        core.clock,
        lease_s=core.settings.lease_s,
        tag_of=authorize.tag_of,
    )


def _follow(core: _Core, authorize: AuthorizeKey, telling: Telling) -> FollowChanges:
    changes = core.storage.changes
    return FollowChanges(
        changes,
        core.storage.accounts,
        core.pool,
        core.tending.credentials,
        core.clock,
        reload_keys=authorize.load,
        reload_options=core.options.reload,
        reload_proxies=core.proxying.choose.load,
        reload_webhooks=telling.webhooks.load,
        with_unwritten=core.tending.tend.with_unwritten,
        news=None if core.relay is None else news_of_changes(core.relay, core.work.owner, changes),
    )


def _simulate(core: _Core, authorize: AuthorizeKey) -> SimulatePolicies:
    return SimulatePolicies(
        core.storage.accounts,
        core.storage.past_requests,
        core.backends.catalog,
        core.policies.fresh(),
        MemorySlots,
        authorize.tag_of,
        core.options,
        core.clock,
    )


def _telling(core: _Core, media: ServeMedia) -> Telling:
    """The messages, and who has something to tell."""
    clock = core.clock
    telling = build_telling(
        core.settings, core.extensions, core.storage, core.pool, media.link, core.options, clock, core.backends.kinds
    )
    core.work.subscribe(telling.watch.ended)
    WatchProxies(core.proxying.choose, telling.spread, clock)
    WatchBreakers(core.tending.guard, telling.spread, clock)
    return telling


def _operating(core: _Core, refresh: RefreshAccount) -> Operating:
    probes = ProbeAccounts(
        core.pool,
        core.backends.upstreams,
        core.tending.credentials,
        core.tending.warm,
        core.tending.tend,
        core.storage.audit_log,
        core.clock,
        core.proxying.choose.way,
        core.proxying.check,
    )
    return build_operating(
        core.storage,
        core.backends.upstreams,
        core.pool,
        core.tending.tend,
        core.tending.credentials,
        core.vault.cipher,
        Argon2Passphrases(),
        ZxcvbnMeter(),
        TotpCodes(),
        core.ids,
        core.clock,
        core.options,
        core.recording.zone,
        core.extensions.profiles,
        probes,
        refresh,
        core.backends.kinds,
    )


def _operate_generations(core: _Core, generate: Generate) -> OperateGenerations:
    storage, backends = core.storage, core.backends
    return OperateGenerations(
        core.work,
        generate,
        backends.catalog,
        storage.generations,
        storage.media,
        backends.store,
        storage.audit_log,
        core.clock,
    )


def _overseeing(core: _Core, operating: Operating) -> Overseeing:
    return build_overseeing(
        core.settings,
        core.extensions,
        core.backends,
        core.options,
        core.tending,
        core.proxying,
        core.recording,
        operating,
        core.work,
        core.clock,
    )


def _refresh(core: _Core) -> RefreshAccount:
    upstreams, audit_log = core.backends.upstreams, core.storage.audit_log
    return RefreshAccount(core.pool, core.tending.warm, upstreams, audit_log, core.clock, core.backends.kinds)


def _tier_in(pool: AccountPool, account_id: int) -> Tier | None:
    account = pool.get(account_id)
    return None if account is None else account.tier


def _owner() -> str:
    """A name for this process that no other one has, ever."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
