"""Processes that wake each other."""

import asyncio

from flow2api.domain.ports.coordination import Coordination
from flow2api.domain.ports.storage import ChangeFeed, TellsOwnChanges
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.relay_events import CHANGED, ENDED, RelayEvents
from flow2api.domain.usecases.work import Work


def build_relay(coordination: Coordination, work: Work, clock: Clock) -> RelayEvents | None:
    """What wakes other processes, and is woken by them; None when there are none."""
    if not coordination.is_shared:
        return None
    relay = RelayEvents(coordination.events, clock)
    work.subscribe(lambda ended: relay.tell(ENDED, ended.id))
    return relay


def news_of_changes(relay: RelayEvents, owner: str, changes: ChangeFeed) -> asyncio.Event:
    """Set whenever another process has written changes; the others hear of ours, as far as the storage tells of them."""
    news = asyncio.Event()
    relay.on(CHANGED, lambda by: None if by == owner else news.set())
    if isinstance(changes, TellsOwnChanges):
        changes.tell(lambda: relay.tell(CHANGED, owner))
    return news
