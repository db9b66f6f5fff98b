"""What is told to others while the server runs: observers of plugins, operators, webhooks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from flow2api.adapters.fetch.addresses import is_public
from flow2api.adapters.fetch.resolver import resolve
from flow2api.adapters.notify import AppriseMessenger
from flow2api.adapters.observers import ObserverPost
from flow2api.adapters.system import RandomIds
from flow2api.adapters.webhooks import CurlCourier
from flow2api.app.foreign import made
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.observers import Observer
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.manage_notify_targets import ManageNotifyTargets
from flow2api.domain.usecases.manage_webhooks import ManageWebhooks
from flow2api.domain.usecases.send_webhooks import SendWebhooks
from flow2api.domain.usecases.spread_notices import SpreadNotices
from flow2api.domain.usecases.tell_operators import TellOperators
from flow2api.domain.usecases.watch_pool import WatchPool
from flow2api.extensions import Extensions
from flow2api.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Everything that tells.

    Attributes:
        spread: Takes every notice; whoever notices something calls it.
    """

    spread: SpreadNotices
    watch: WatchPool
    operators: TellOperators
    webhooks: SendWebhooks
    observers: tuple[ObserverPost, ...]

    @property
    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What runs behind, by name."""
        return {"watch": self.watch.run, "notify": self.operators.run, "webhooks": self.webhooks.run}

    async def begin(self) -> None:
        """Start to tell. To be called when the pool holds its accounts."""
        await self.webhooks.load()
        for observer in self.observers:
            observer.start()
        self.watch.begin()

    async def stop(self) -> None:
        """Let observers hear what is waiting."""
        await asyncio.gather(*(asyncio.to_thread(observer.stop) for observer in self.observers))


def build_telling(
    settings: Settings,
    extensions: Extensions,
    storage: Storage,
    pool: AccountPool,
    path: Callable[[str, int], str],
    options: Callable[[], Options],
    clock: Clock,
    kinds: CredentialKinds = SESSIONS,
) -> Telling:
    """All of it.

    Args:
        kinds: What the accounts of each upstream sign in with.
        path: Path and query of a link that opens a media for so many seconds.
    """

    def link(media_id: str) -> str:
        now = options()
        return (now.media_base_url or settings.public_url).rstrip("/") + path(media_id, now.chat_link_lifetime_s)

    spread = SpreadNotices()
    operators = TellOperators(storage.notify_targets, storage.told_notices, AppriseMessenger(), clock, options)
    webhooks = SendWebhooks(
        storage.webhooks, storage.deliveries, build_courier(options), link, spread, RandomIds(), clock, options
    )
    observers = tuple(observer_posts(settings, extensions))
    spread.subscribe(operators.take, lambda kind: kind.is_for_operators)
    spread.subscribe(webhooks.take, webhooks.wants)
    for observer in observers:
        spread.subscribe(observer.take, observer.wants)
    return Telling(
        spread=spread,
        watch=WatchPool(pool, clock, options, spread, spread.is_wanted, kinds),
        operators=operators,
        webhooks=webhooks,
        observers=observers,
    )


def observer_posts(settings: Settings, extensions: Extensions) -> Iterator[ObserverPost]:
    """Every observer; one of a plugin of others that cannot be made is left out, and told in the log."""
    for name, factory in extensions.observers.items():
        plugin = extensions.foreign_owner(factory)
        try:
            build = partial(factory.build, settings.sections.get(name, {}))
            yield ObserverPost(name, made(plugin, Observer, build))
        except Exception:
            if plugin is None:
                raise
            log.exception("observer left out", observer=name, plugin=plugin)


def build_courier(options: Callable[[], Options]) -> CurlCourier:
    """What carries messages to webhooks, with the guard that pictures are fetched under."""
    return CurlCourier(resolve, is_public, lambda: options().private_webhooks)


def build_notify_targets(storage: Storage, clock: Clock) -> ManageNotifyTargets:
    """What an operator does with the places that he is written to."""
    return ManageNotifyTargets(storage.notify_targets, AppriseMessenger(), clock)


def build_webhooks(storage: Storage, options: Callable[[], Options], clock: Clock) -> ManageWebhooks:
    """What an operator does with webhooks."""
    return ManageWebhooks(storage.webhooks, storage.deliveries, build_courier(options), RandomIds(), clock)
