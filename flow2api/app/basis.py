"""What nearly everything else works over: the backends, the pool with what tends it, and the work."""

import os
import secrets
import socket
from dataclasses import dataclass, replace

from flow2api.adapters.metrics import CountedJournal
from flow2api.adapters.system import RandomIds
from flow2api.adapters.system.logs import context_of
from flow2api.app.backends import Backends, Vault
from flow2api.app.current_options import CurrentOptions, build_options
from flow2api.app.generating import Policies, Tending, build_running, build_tending
from flow2api.app.known_plugins import KnownPlugins
from flow2api.app.proxying import Proxying, build_proxying
from flow2api.app.recording import Recording, build_recording
from flow2api.app.relaying import build_relay
from flow2api.domain.account import Tier
from flow2api.domain.key_lines import KeyLines
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.usecases.job import Audience
from flow2api.domain.usecases.keep_products import KeepProducts
from flow2api.domain.usecases.limit_requests import LimitRequests
from flow2api.domain.usecases.relay_events import RelayEvents
from flow2api.domain.usecases.watch_room import WatchRoom
from flow2api.domain.usecases.work import Work
from flow2api.extensions import Extensions
from flow2api.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
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
    lines: KeyLines
    limit: LimitRequests
    relay: RelayEvents | None
    audience: Audience

    @property
    def storage(self) -> Storage:
        """That of the backends."""
        return self.backends.storage


def build_basis(settings: Settings, extensions: Extensions, backends: Backends, vault: Vault, clock: Clock) -> Basis:
    """All of it, over the given backends.

    Raises:
        ConfigurationError: An option names what no plugin offers.
    """
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
    lines, limits = KeyLines(), backends.coordination.limits
    limit = LimitRequests(
        limits, options, lines=lines, statistics=storage.statistics, clock=clock, under_way=work.under_way
    )
    work.subscribe_to_ends(limit.ended)
    return Basis(
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
        lines=lines,
        limit=limit,
        relay=build_relay(backends.coordination, work, clock),
        audience=Audience(),
    )


def _tier_in(pool: AccountPool, account_id: int) -> Tier | None:
    account = pool.get(account_id)
    return None if account is None else account.tier


def _owner() -> str:
    """A name for this process that no other one has, ever."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
