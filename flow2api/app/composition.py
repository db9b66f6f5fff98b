"""Builds every use case, once, over what the settings choose."""

from collections.abc import Mapping
from dataclasses import dataclass

from flow2api import __version__
from flow2api.adapters.fetch.picture_fetcher import GuardedFetcher
from flow2api.adapters.imaging.pictures import PillowPictures
from flow2api.adapters.imaging.stills import PyAvVideoStills
from flow2api.adapters.imaging.workers import Workers
from flow2api.adapters.metrics import Exposition
from flow2api.adapters.system import SystemClock
from flow2api.adapters.vault import Argon2Passphrases, HmacLinkSigner, TotpCodes, ZxcvbnMeter
from flow2api.app.backends import Backends, Vault, build_backends, build_vault
from flow2api.app.basis import Basis, build_basis
from flow2api.app.current_options import CurrentOptions
from flow2api.app.entrance import Entrance, build_entrance
from flow2api.app.generating import Tending
from flow2api.app.known_plugins import KnownPlugins
from flow2api.app.operating import Operating, build_operating
from flow2api.app.overseeing import Overseeing, build_overseeing
from flow2api.app.profiles import Profiles
from flow2api.app.proxying import Proxying
from flow2api.app.recording import Recording
from flow2api.app.telling import Telling, build_telling
from flow2api.app.upkeep import Upkeep, build_upkeep
from flow2api.domain.catalog import ModelCatalog, ModelRoutes
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.coordination import Coordination, LimitsInMemory
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.usecases.authorize_key import AuthorizeKey
from flow2api.domain.usecases.count_retired_names import CountRetiredNames
from flow2api.domain.usecases.draw_previews import DrawPreviews
from flow2api.domain.usecases.draw_stills import DrawStills
from flow2api.domain.usecases.follow_generations import FollowGenerations
from flow2api.domain.usecases.foresee_choices import ForeseeChoices
from flow2api.domain.usecases.generate import Generate
from flow2api.domain.usecases.ingest_pictures import IngestPictures
from flow2api.domain.usecases.limit_requests import LimitRequests
from flow2api.domain.usecases.operate_generations import OperateGenerations
from flow2api.domain.usecases.read_generations import ReadGenerations
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.domain.usecases.relay_events import RelayEvents
from flow2api.domain.usecases.serve_media import ServeMedia
from flow2api.domain.usecases.simulate_policies import SimulatePolicies
from flow2api.domain.usecases.watch_breakers import WatchBreakers
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
    entrance: Entrance
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
    tending: Tending
    work: Work
    upkeep: Upkeep
    followed: FollowGenerations
    operate_generations: OperateGenerations
    previews: DrawPreviews
    room: WatchRoom
    refresh: RefreshAccount
    foresee: ForeseeChoices
    simulate: SimulatePolicies
    retired_names: CountRetiredNames
    policies: Mapping[str, str]

    @property
    def problem(self) -> str | None:
        """What keeps the server from taking work although it answers, as a stable code; None when nothing does."""
        return "draining" if self.work.is_held else self.room.problem

    @property
    def is_alone(self) -> bool:
        """Whether no other process serves from the same storage, as far as the coordination tells."""
        return isinstance(self.coordination.limits, LimitsInMemory)


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
    basis = build_basis(settings, extensions, backends, vault, clock)
    storage, store = basis.storage, basis.backends.store
    authorize = AuthorizeKey(storage.api_keys, vault.cipher, clock, basis.limit.follow)
    media = ServeMedia(storage.media, store, HmacLinkSigner(vault.ring), clock)
    refresh = _refresh(basis)
    operating = build_operating(basis, refresh)
    return _services(basis, authorize, media, _telling(basis, media), operating, refresh)


def _services(
    basis: Basis,
    authorize: AuthorizeKey,
    media: ServeMedia,
    telling: Telling,
    operating: Operating,
    refresh: RefreshAccount,
) -> Services:
    backends, storage, store, tending = basis.backends, basis.storage, basis.backends.store, basis.tending
    catalog, clock, options = backends.catalog, basis.clock, basis.options
    workers = Workers()
    pictures, stills, generate = PillowPictures(workers), PyAvVideoStills(workers), _generate(basis)
    return Services(
        settings=basis.settings,
        extensions=basis.extensions,
        known_plugins=basis.known_plugins,
        retired_names=CountRetiredNames(storage.generation_directory, catalog.retired()),
        clock=clock,
        options=options,
        catalog=catalog,
        routes=ModelRoutes(catalog, lambda: options().model_routes, lambda: options().models_off),
        model_sources=backends.model_sources,
        vault=basis.vault,
        storage=storage,
        store=store,
        upstreams=backends.upstreams,
        kinds=backends.kinds,
        pool=basis.pool,
        profiles=Profiles(basis.extensions.profiles, options),
        pictures=pictures,
        workers=workers,
        authorize=authorize,
        entrance=_entrance(basis),
        operating=operating,
        overseeing=build_overseeing(basis, operating),
        metrics=Exposition(
            operating.census, basis.journal, lambda: len(basis.work), __version__, tending.guard.statuses
        ),
        recording=basis.recording,
        telling=telling,
        proxying=basis.proxying,
        relay=basis.relay,
        coordination=backends.coordination,
        generate=generate,
        limit=basis.limit,
        ingest=IngestPictures(pictures, GuardedFetcher(), store, storage.media, basis.ids, clock, options, basis.lines),
        generations=_read_generations(basis, media, stills),
        followed=FollowGenerations(basis.work, storage.generations, storage.generation_directory, storage.media),
        operate_generations=_operate_generations(basis, generate),
        previews=DrawPreviews(pictures, stills),
        media=media,
        tending=basis.tending,
        work=basis.work,
        upkeep=build_upkeep(basis, authorize, telling.webhooks),
        room=basis.room,
        refresh=refresh,
        policies={one.name: one.summary for one in basis.extensions.policies.values()},
        foresee=ForeseeChoices(basis.pool, basis.backends.catalog, basis.policies.fresh()),
        simulate=_simulate(basis, authorize),
    )


def _generate(basis: Basis) -> Generate:
    return Generate(
        basis.work,
        basis.pool,
        basis.storage.generations,
        basis.storage.media,
        basis.audience,
        basis.ids,
        basis.clock,
        basis.options,
        room=basis.room,
        lease_s=basis.settings.lease_s,
        left_alone_s=basis.tending.guard.wait_s,
        places_left_alone=basis.tending.guard.places_left_alone,
        lines=basis.lines,
        limit=basis.limit,
        relay=basis.relay,
    )


def _simulate(basis: Basis, authorize: AuthorizeKey) -> SimulatePolicies:
    return SimulatePolicies(
        basis.storage.accounts,
        basis.storage.past_requests,
        basis.backends.catalog,
        basis.policies.fresh(),
        MemorySlots,
        authorize.tag_of,
        basis.options,
        basis.clock,
    )


def _telling(basis: Basis, media: ServeMedia) -> Telling:
    """The messages, and who has something to tell."""
    clock = basis.clock
    telling = build_telling(
        basis.settings,
        basis.extensions,
        basis.storage,
        basis.pool,
        media.link,
        basis.options,
        clock,
        basis.backends.kinds,
    )
    basis.work.subscribe(telling.watch.ended)
    WatchProxies(basis.proxying.choose, telling.spread, clock)
    WatchBreakers(basis.tending.guard, telling.spread, clock)
    return telling


def _entrance(basis: Basis) -> Entrance:
    passphrases, meter, codes = Argon2Passphrases(), ZxcvbnMeter(), TotpCodes()
    return build_entrance(basis.storage, basis.vault.cipher, passphrases, meter, codes, basis.ids, basis.clock)


def _read_generations(basis: Basis, media: ServeMedia, stills: PyAvVideoStills) -> ReadGenerations:
    storage, store = basis.storage, basis.backends.store
    return ReadGenerations(
        storage.generations, storage.media, store, media, DrawStills(stills), basis.work, basis.clock, basis.lines
    )


def _operate_generations(basis: Basis, generate: Generate) -> OperateGenerations:
    storage, backends = basis.storage, basis.backends
    return OperateGenerations(
        basis.work,
        generate,
        backends.catalog,
        storage.generations,
        storage.media,
        backends.store,
        storage.audit_log,
        basis.clock,
    )


def _refresh(basis: Basis) -> RefreshAccount:
    upstreams, audit_log = basis.backends.upstreams, basis.storage.audit_log
    return RefreshAccount(basis.pool, basis.tending.warm, upstreams, audit_log, basis.clock, basis.backends.kinds)
