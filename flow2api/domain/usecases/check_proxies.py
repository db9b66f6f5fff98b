"""Finds out whether proxies work, and keeps what is known of them."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import ProxyUnavailableError, StorageError
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.proxies import Passage, ProbesProxies, Proxies
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import Proxy, ProxyHealth, ProxyState
from flow2api.domain.usecases.choose_proxy import ChooseProxy

K = TypeVar("K")
V = TypeVar("V")

log = logging.getLogger(__name__)

CHECK_TIMEOUT_S = 15.0
CHECKS_AT_ONCE = 4
LOOK_EVERY_S = 1.0

SOONEST_RETRY = timedelta(seconds=10)
LATEST_RETRY = timedelta(minutes=5)

_ACCOUNTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a proxy came to.

    Attributes:
        passage: What came through; None when nothing did.
        fault: Why nothing came through, as a sentence without an address.
        is_certain: It was the proxy itself that failed.
    """

    proxy: Proxy
    passage: Passage | None
    fault: str | None = None
    is_certain: bool = False

    def after(self, health: ProxyHealth, now: datetime) -> ProxyHealth:
        """What this makes of the health of a proxy."""
        if self.passage is None:
            return health.failed(now, self.fault or "", is_certain=self.is_certain)
        return health.worked(now, latency_ms=self.passage.latency_ms, egress=self.passage.egress)


class CheckProxies:
    """Checks proxies, a few at once, and keeps their health."""

    def __init__(
        self,
        probe: ProbesProxies,
        proxies: Proxies,
        audit_log: AuditLog,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._audit_log = audit_log
        self._probe = probe
        self._proxies = proxies
        self._clock = clock
        self._options = options
        self._turn = asyncio.Semaphore(CHECKS_AT_ONCE)

    async def __call__(self, proxy: Proxy, *, target: str | None = None) -> Checked:
        """Check one proxy; its health is in what comes back, and not written.

        Args:
            target: What to fetch; None for what the option says.
        """
        async with self._turn:
            try:
                passage = await self._probe(
                    proxy.url, target or self._options().proxy_check_url, timeout_s=CHECK_TIMEOUT_S
                )
            except ProxyUnavailableError as error:
                checked = Checked(proxy, None, error.message, is_certain=error.is_certain)
            else:
                checked = Checked(proxy, passage)
        return replace(checked, proxy=replace(proxy, health=checked.after(proxy.health, self._clock.now())))

    async def check_and_keep(
        self, proxies: Sequence[Proxy], actor: Actor, *, target: str | None = None
    ) -> list[Checked]:
        """Check these, for an operator who waits for it, and write what was found; that he asked is put down before."""
        await self._audit_log.note(
            AuditEntry(
                at=self._clock.now(),
                actor=actor,
                action=AuditAction.PROXY_CHECKED,
                subject=str(proxies[0].id) if len(proxies) == 1 else None,
                details={"proxies": [proxy.name for proxy in proxies]},
            )
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self(proxy, target=target)) for proxy in proxies]
        checked = [task.result() for task in tasks]
        await self._proxies.note_health({one.proxy.id: one.proxy.health for one in checked})
        return checked


class KeepProxies:
    """Works behind: checks proxies when it is time, tells the pool whose way is open, writes what was learned."""

    def __init__(
        self,
        choose: ChooseProxy,
        check: CheckProxies,
        proxies: Proxies,
        pool: AccountPool,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._choose = choose
        self._check = check
        self._proxies = proxies
        self._pool = pool
        self._clock = clock
        self._options = options
        self._began: datetime | None = None
        self._checks: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Do so for ever."""
        self._began = self._clock.now()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_moves())
                while True:
                    self._begin_checks(group)
                    await self.write()
                    await self._clock.sleep(LOOK_EVERY_S)
        finally:
            with suppress(StorageError):
                await self.write()

    async def write(self) -> None:
        """Write choices and health that storage does not have yet; what it refuses is written the next time."""
        chosen, health = dict(self._choose.unwritten), dict(self._choose.unwritten_health)
        try:
            if chosen:
                await self._proxies.assign(chosen)
                self._choose.unwritten = _without(self._choose.unwritten, chosen)
            if health:
                await self._proxies.note_health(health)
                self._choose.unwritten_health = _without(self._choose.unwritten_health, health)
        except StorageError as error:
            log.warning("what is known of proxies is not written yet", extra={"reason": error.message})

    async def tell_pool(self) -> None:
        """Tell the pool for each account whether there is a way; other work goes on between."""
        self._choose.has_moved.clear()
        for number, account in enumerate(list(self._pool)):
            if number % _ACCOUNTS_AT_ONCE == _ACCOUNTS_AT_ONCE - 1:
                await asyncio.sleep(0)
            current = self._pool.get(account.id)
            if current is not None:
                self._pool.reach(current.id, has_way=self._choose.has_way(current))

    def due(self, now: datetime) -> list[Proxy]:
        """The proxies whose check is due."""
        return [proxy for proxy in self._choose.all() if proxy.is_enabled and self._is_due(proxy, now)]

    def _is_due(self, proxy: Proxy, now: datetime) -> bool:
        health, interval_s = proxy.health, self._options().proxy_check_interval_s
        if health.state in (ProxyState.DOWN, ProxyState.SUSPECT):
            pause = min(SOONEST_RETRY * 2 ** min(max(health.failures - 1, 0), 10), LATEST_RETRY)
        elif interval_s > 0:
            pause = timedelta(seconds=interval_s)
        else:
            return False
        return health.checked_at is None or now >= health.checked_at + pause

    def _begin_checks(self, group: asyncio.TaskGroup) -> None:
        for proxy in self.due(self._clock.now()):
            if len(self._checks) >= CHECKS_AT_ONCE:
                return
            if proxy.id not in self._checks:
                self._checks[proxy.id] = group.create_task(self._check_one(proxy), name=f"check-proxy-{proxy.name}")

    async def _check_one(self, proxy: Proxy) -> None:
        try:
            checked = await self._check(proxy)
        except Exception:
            log.exception("proxy could not be checked", extra={"proxy": proxy.name})
            checked = Checked(proxy, None, "The check broke.")
        finally:
            self._checks.pop(proxy.id, None)
        # A check takes its time: what calls have learned meanwhile stays, and this comes on top.
        health = self._choose.health_of(proxy)
        if health is not None:
            self._choose.take(proxy, checked.after(health, self._clock.now()))

    async def _follow_moves(self) -> None:
        while True:
            await self._choose.has_moved.wait()
            await self.tell_pool()


def _without(waiting: Mapping[K, V], written: Mapping[K, V]) -> dict[K, V]:
    """What waits still; what has changed since it was written waits again."""
    return {key: value for key, value in waiting.items() if written.get(key) != value}
