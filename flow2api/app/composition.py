"""Builds every use case, once, over what the settings choose."""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from flow2api import __version__
from flow2api.adapters.fetch.picture_fetcher import GuardedFetcher
from flow2api.adapters.imaging.pictures import PillowPictures
from flow2api.adapters.imaging.stills import PyAvVideoStills
from flow2api.adapters.imaging.workers import Workers
from flow2api.adapters.metrics import CountedJournal, Exposition
from flow2api.adapters.system import RandomIds, SystemClock
from flow2api.adapters.system.backups import BackupFolder
from flow2api.adapters.system.logs import context_of
from flow2api.adapters.system.loop_lag import LoopLag
from flow2api.adapters.vault import Argon2Passphrases, HmacLinkSigner, TotpCodes, ZxcvbnMeter
from flow2api.app.backends import Backends, Vault, build_backends, build_vault
from flow2api.app.current_options import CurrentOptions, build_options
from flow2api.app.diagnosing import ServerDoctor
from flow2api.app.operating import Operating, build_operating
from flow2api.app.panels import build_panels
from flow2api.app.profiles import Profiles
from flow2api.app.proxying import Proxying, build_proxying
from flow2api.app.recording import Recording, build_recording
from flow2api.app.telling import Telling, build_telling
from flow2api.domain.account import Tier
from flow2api.domain.catalog import ModelCatalog, ModelRoutes
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.guarded_policy import GuardedPolicy
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.selection import SelectionPolicy
from flow2api.domain.usecases.authorize_key import AuthorizeKey
from flow2api.domain.usecases.back_up_database import BackUpDatabase
from flow2api.domain.usecases.count_retired_names import CountRetiredNames
from flow2api.domain.usecases.drain_server import DrainServer
from flow2api.domain.usecases.draw_stills import DrawStills
from flow2api.domain.usecases.follow_changes import FollowChanges
from flow2api.domain.usecases.forget_health import ForgetHealth
from flow2api.domain.usecases.generate import Generate
from flow2api.domain.usecases.glance_at_pool import GlanceAtPool
from flow2api.domain.usecases.guard_upstreams import GuardUpstreams
from flow2api.domain.usecases.ingest_pictures import IngestPictures
from flow2api.domain.usecases.job import Audience
from flow2api.domain.usecases.keep_diagnosis import KeepDiagnosis
from flow2api.domain.usecases.keep_products import KeepProducts
from flow2api.domain.usecases.lease_account import LeaseAccount
from flow2api.domain.usecases.make_picture import MakePicture
from flow2api.domain.usecases.make_video import MakeVideo
from flow2api.domain.usecases.probe_accounts import ProbeAccounts
from flow2api.domain.usecases.purge_media import PurgeMedia
from flow2api.domain.usecases.read_generations import ReadGenerations
from flow2api.domain.usecases.reclaim_leases import ReclaimLeases
from flow2api.domain.usecases.recover_generations import RecoverGenerations
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.route_calls import RouteCalls
from flow2api.domain.usecases.run_generation import Makers, RunGeneration
from flow2api.domain.usecases.serve_media import ServeMedia
from flow2api.domain.usecases.show_panels import ShowPanels
from flow2api.domain.usecases.simulate_policies import SimulatePolicies
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.upload_inputs import UploadInputs
from flow2api.domain.usecases.warm_accounts import WarmAccounts
from flow2api.domain.usecases.watch_breakers import WatchBreakers
from flow2api.domain.usecases.watch_operations import WatchOperations
from flow2api.domain.usecases.watch_proxies import WatchProxies
from flow2api.domain.usecases.watch_room import WatchRoom
from flow2api.domain.usecases.work import Work
from flow2api.extensions import Extensions
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.settings import Settings

BACKUPS = "backups"
"""The folder of copies, in the data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The program: every use case, and the ports that have to be opened and closed."""

    settings: Settings
    extensions: Extensions
    clock: Clock
    glance: GlanceAtPool
    drain: DrainServer
    backups: BackUpDatabase
    doctor: ServerDoctor
    diagnosis: KeepDiagnosis
    lag: LoopLag
    panels: ShowPanels
    options: CurrentOptions
    catalog: ModelCatalog
    routes: ModelRoutes
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
    metrics: Exposition
    recording: Recording
    telling: Telling
    proxying: Proxying
    generate: Generate
    ingest: IngestPictures
    generations: ReadGenerations
    media: ServeMedia
    credentials: RenewCredentials
    warm: WarmAccounts
    watch: WatchOperations
    work: Work
    recover: RecoverGenerations
    follow: FollowChanges
    purge: PurgeMedia
    room: WatchRoom
    leases: ReclaimLeases
    guard: GuardUpstreams
    health: ForgetHealth
    refresh: RefreshAccount
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
    ids, audience, storage = RandomIds(), Audience(), backends.storage
    policies = _Policies(extensions, clock)
    options = build_options(settings, extensions, backends, clock)
    pool = AccountPool(backends.slots, clock, most_running=lambda: options().max_running)
    proxying = build_proxying(extensions, storage, pool, options, clock)
    backends = replace(backends, upstreams=proxying.routed(backends.upstreams))
    tending = _tending(backends, pool, proxying.routes, clock, options)
    credentials = tending.credentials
    room = WatchRoom(backends.store, clock, options)
    products = KeepProducts(backends.upstreams, credentials, backends.store, room, ids, clock, options)
    run = _running(backends, tending, products, lambda: policies(options().policy), clock, options)
    journal = CountedJournal(storage.journal)
    recording = build_recording(settings, storage, journal, options, clock, backends.catalog.kind_of)
    work = Work(_owner(), run, recording.notes, clock, context_of, lambda account_id: _tier_in(pool, account_id))
    workers = Workers()
    pictures = PillowPictures(workers)
    authorize = AuthorizeKey(storage.api_keys, vault.cipher, clock)
    media = ServeMedia(storage.media, backends.store, HmacLinkSigner(vault.ring), clock)
    telling = build_telling(settings, extensions, storage, pool, media.link, options, clock, backends.kinds)
    work.subscribe(telling.watch.ended)
    WatchProxies(proxying.choose, telling.spread, clock)
    WatchBreakers(tending.guard, telling.spread, clock)
    lease_s = settings.lease_s
    refresh = RefreshAccount(pool, tending.warm, backends.upstreams, storage.audit_log, clock, backends.kinds)
    probes = ProbeAccounts(
        pool,
        backends.upstreams,
        credentials,
        tending.warm,
        tending.tend,
        storage.audit_log,
        clock,
        proxying.choose.way,
        proxying.check,
    )
    operating = build_operating(
        storage,
        backends.upstreams,
        pool,
        tending.tend,
        credentials,
        vault.cipher,
        Argon2Passphrases(),
        ZxcvbnMeter(),
        TotpCodes(),
        ids,
        clock,
        options,
        recording.zone,
        extensions.profiles,
        probes,
        refresh,
        backends.kinds,
    )
    glance = GlanceAtPool(
        operating.browse,
        operating.checks,
        recording.spans,
        operating.credits,
        operating.generations,
        tending.guard.statuses,
        proxying.choose.all,
        clock,
    )
    lag = LoopLag()
    doctor = ServerDoctor(settings, extensions, backends, options, lag, clock)
    return Services(
        settings=settings,
        extensions=extensions,
        glance=glance,
        drain=DrainServer(work, storage.audit_log, clock),
        backups=BackUpDatabase(storage, BackupFolder(settings.data_dir / BACKUPS), clock),
        doctor=doctor,
        diagnosis=doctor.keep(),
        lag=lag,
        panels=ShowPanels(build_panels(settings, extensions), glance, clock),
        retired_names=CountRetiredNames(storage.generation_directory, backends.catalog.retired()),
        clock=clock,
        options=options,
        catalog=backends.catalog,
        routes=ModelRoutes(backends.catalog, lambda: options().model_routes),
        vault=vault,
        storage=storage,
        store=backends.store,
        upstreams=backends.upstreams,
        kinds=backends.kinds,
        pool=pool,
        profiles=Profiles(extensions.profiles, options),
        pictures=pictures,
        workers=workers,
        authorize=authorize,
        operating=operating,
        metrics=Exposition(operating.census, journal, lambda: len(work), __version__),
        recording=recording,
        telling=telling,
        proxying=proxying,
        generate=Generate(
            work,
            pool,
            storage.generations,
            storage.media,
            audience,
            ids,
            clock,
            options,
            room=room,
            lease_s=lease_s,
            left_alone_s=tending.guard.wait_s,
        ),
        ingest=IngestPictures(pictures, GuardedFetcher(), backends.store, storage.media, ids, clock, options),
        generations=ReadGenerations(
            storage.generations,
            storage.media,
            backends.store,
            media,
            DrawStills(PyAvVideoStills(workers)),
            work,
            clock,
        ),
        media=media,
        credentials=credentials,
        warm=tending.warm,
        watch=tending.watch,
        work=work,
        recover=RecoverGenerations(
            work,
            backends.catalog,
            storage.generations,
            audience,
            clock,
            lease_s=lease_s,
            tag_of=authorize.tag_of,
        ),
        follow=FollowChanges(
            storage.changes,
            storage.accounts,
            pool,
            credentials,
            clock,
            reload_keys=authorize.load,
            reload_options=options.reload,
            reload_proxies=proxying.choose.load,
            reload_webhooks=telling.webhooks.load,
            with_unwritten=tending.tend.with_unwritten,
        ),
        purge=PurgeMedia(storage.media, backends.store, clock, storage.ping),
        room=room,
        leases=ReclaimLeases(pool, clock),
        guard=tending.guard,
        health=ForgetHealth(storage.health, clock, options),
        refresh=refresh,
        policies={one.name: one.summary for one in extensions.policies.values()},
        simulate=SimulatePolicies(
            storage.accounts,
            storage.past_requests,
            backends.catalog,
            policies.fresh(),
            MemorySlots,
            authorize.tag_of,
            options,
            clock,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Tending:
    """The accounts, and what looks after them."""

    pool: AccountPool
    tend: TendAccounts
    guard: GuardUpstreams
    credentials: RenewCredentials
    warm: WarmAccounts
    watch: WatchOperations


def _tending(
    backends: Backends, pool: AccountPool, routes: RouteCalls, clock: Clock, options: CurrentOptions
) -> _Tending:
    storage, upstreams = backends.storage, backends.upstreams
    guard = GuardUpstreams(clock)
    tend = TendAccounts(pool, storage.accounts, clock, options, storage.health, guard.is_left_alone)
    kinds = backends.kinds
    credentials = RenewCredentials(pool, upstreams, storage.vault, tend, clock, routes=routes, guard=guard, kinds=kinds)
    warm = WarmAccounts(pool, upstreams, credentials, tend, clock, options, kinds=kinds)
    watch = WatchOperations(pool, upstreams, credentials, tend, clock, options)
    return _Tending(pool, tend, guard, credentials, warm, watch)


def _running(
    backends: Backends,
    tending: _Tending,
    products: KeepProducts,
    policy: Callable[[], SelectionPolicy],
    clock: Clock,
    options: CurrentOptions,
) -> RunGeneration:
    """Everything between a job and its end."""
    pool, tend, credentials, upstreams = tending.pool, tending.tend, tending.credentials, backends.upstreams
    media = backends.storage.media
    uploads = UploadInputs(upstreams, credentials, media, backends.store, clock)
    makers = Makers(
        MakePicture(upstreams, credentials, uploads, products, tend),
        MakeVideo(upstreams, credentials, uploads, tending.watch, products, tend, clock, options),
    )
    lease = LeaseAccount(pool, policy, media, tending.warm, options, tending.guard.wait_s)
    return RunGeneration(pool, lease, makers, credentials, uploads, tend, clock, options, guard=tending.guard)


class _Policies:
    """The selection policies, each made once, when it is first asked for."""

    def __init__(self, extensions: Extensions, clock: Clock) -> None:
        self._named = extensions.policies
        self._clock = clock
        self._made: dict[str, SelectionPolicy] = {}

    def fresh(self) -> dict[str, Callable[[], SelectionPolicy]]:
        """What makes each anew, for whoever must not share it."""
        return {
            name: partial(GuardedPolicy, name, factory.build, self._clock.monotonic)
            for name, factory in self._named.items()
        }

    def __call__(self, name: str) -> SelectionPolicy:
        policy = self._made.get(name)
        if policy is None:
            policy = self._made[name] = GuardedPolicy(name, self._named[name].build, self._clock.monotonic)
        return policy


def _tier_in(pool: AccountPool, account_id: int) -> Tier | None:
    account = pool.get(account_id)
    return None if account is None else account.tier


def _owner() -> str:
    """A name for this process that no other one has, ever."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
