"""The accounts with what looks after them, and everything between a job and its end."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flow2api.app.backends import Backends
from flow2api.app.current_options import CurrentOptions
from flow2api.domain.guarded_policy import GuardedPolicy
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock
from flow2api.domain.selection import SelectionPolicy
from flow2api.domain.usecases.guard_upstreams import GuardUpstreams
from flow2api.domain.usecases.keep_products import KeepProducts
from flow2api.domain.usecases.lease_account import LeaseAccount
from flow2api.domain.usecases.make_picture import MakePicture
from flow2api.domain.usecases.make_video import MakeVideo
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.route_calls import RouteCalls
from flow2api.domain.usecases.run_generation import Makers, RunGeneration
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.upload_inputs import UploadInputs
from flow2api.domain.usecases.warm_accounts import WarmAccounts
from flow2api.domain.usecases.watch_operations import WatchOperations
from flow2api.extensions import Extensions


@dataclass(frozen=True, slots=True)
class Tending:
    """The accounts, and what looks after them."""

    pool: AccountPool
    tend: TendAccounts
    guard: GuardUpstreams
    credentials: RenewCredentials
    warm: WarmAccounts
    watch: WatchOperations


def build_tending(
    backends: Backends, pool: AccountPool, routes: RouteCalls, clock: Clock, options: CurrentOptions
) -> Tending:
    """All that looks after the accounts of a pool."""
    storage, upstreams = backends.storage, backends.upstreams
    guard = GuardUpstreams(clock, pool.hosts.of)
    tend = TendAccounts(pool, storage.accounts, clock, options, storage.health, guard.is_left_alone)
    kinds = backends.kinds
    credentials = RenewCredentials(pool, upstreams, storage.vault, tend, clock, routes=routes, guard=guard, kinds=kinds)
    warm = WarmAccounts(pool, upstreams, credentials, tend, clock, options, kinds=kinds)
    watch = WatchOperations(pool, upstreams, credentials, tend, clock, options)
    return Tending(pool, tend, guard, credentials, warm, watch)


def build_running(
    backends: Backends,
    tending: Tending,
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


class Policies:
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
