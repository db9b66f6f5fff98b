"""What is kept in order while the server runs, and when it starts."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from flow2api.app.basis import Basis
from flow2api.app.relaying import news_of_changes
from flow2api.domain.usecases.authorize_key import AuthorizeKey
from flow2api.domain.usecases.follow_changes import FollowChanges
from flow2api.domain.usecases.forget_health import ForgetHealth
from flow2api.domain.usecases.purge_media import PurgeMedia
from flow2api.domain.usecases.reclaim_leases import ReclaimLeases
from flow2api.domain.usecases.recover_generations import RecoverGenerations
from flow2api.domain.usecases.send_webhooks import SendWebhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The use cases that nobody calls for."""

    recover: RecoverGenerations
    follow: FollowChanges
    purge: PurgeMedia
    leases: ReclaimLeases
    health: ForgetHealth

    @property
    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What runs behind, by name."""
        return {
            "recover": self.recover.run,
            "follow": self.follow.run,
            "health": self.health.run,
            "purge": self.purge.run,
            "leases": self.leases.run,
        }


def build_upkeep(basis: Basis, authorize: AuthorizeKey, webhooks: SendWebhooks) -> Upkeep:
    """All of them; keys and webhooks are loaded anew when another process has changed them."""
    storage, store, clock = basis.storage, basis.backends.store, basis.clock
    return Upkeep(
        recover=_recover(basis, authorize),
        follow=_follow(basis, authorize, webhooks),
        purge=PurgeMedia(storage.media, store, clock, storage.ping),
        leases=ReclaimLeases(basis.pool, clock),
        health=ForgetHealth(storage.health, clock, basis.options),
    )


def _recover(basis: Basis, authorize: AuthorizeKey) -> RecoverGenerations:
    return RecoverGenerations(
        basis.work,
        basis.backends.catalog,
        basis.storage.generations,
        basis.audience,
        basis.clock,
        lease_s=basis.settings.lease_s,
        tag_of=authorize.tag_of,
    )


def _follow(basis: Basis, authorize: AuthorizeKey, webhooks: SendWebhooks) -> FollowChanges:
    changes = basis.storage.changes
    return FollowChanges(
        changes,
        basis.storage.accounts,
        basis.pool,
        basis.tending.credentials,
        basis.clock,
        reload_keys=authorize.load,
        reload_options=basis.options.reload,
        reload_proxies=basis.proxying.choose.load,
        reload_webhooks=webhooks.load,
        with_unwritten=basis.tending.tend.with_unwritten,
        news=None if basis.relay is None else news_of_changes(basis.relay, basis.work.owner, changes),
    )
