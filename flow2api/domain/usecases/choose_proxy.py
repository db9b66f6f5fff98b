"""Which proxy an account goes through, decided in memory."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from flow2api.domain.account import Account
from flow2api.domain.errors import ProxyUnavailableError, UnsupportedInputError
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.proxies import Assignment, Proxies
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import DIRECT, Member, Proxy, ProxyHealth, ProxySelector, ProxyState, usable
from flow2api.domain.secret import Secret

log = logging.getLogger(__name__)

NOBODY = 0
"""Stands for an account that is not there yet."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to upstream.

    Attributes:
        proxy: None is the direct one.
    """

    proxy: Proxy | None = None

    @property
    def url(self) -> Secret | None:
        """The proxy's URL."""
        return None if self.proxy is None else self.proxy.url


_DIRECT = Way()


class ChooseProxy:
    """Knows every proxy and who has which one; a choice reads neither database nor network.

    An account keeps the proxy that it got of a pool as long as that one can be used. What is to be written, and which
    accounts have lost or found their way, is left to who keeps the proxies.

    Attributes:
        unwritten: Choices that storage does not have yet.
        unwritten_health: Proxies whose health storage does not have yet.
        has_moved: Set when accounts may have lost or found their way.
    """

    def __init__(
        self,
        proxies: Proxies,
        pool: AccountPool,
        selector: Callable[[str], ProxySelector],
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._stored = proxies
        self._pool = pool
        self._selector = selector
        self._clock = clock
        self._options = options
        self._proxies: dict[str, Proxy] = {}
        self._by_url: dict[Secret, tuple[str, ...]] = {}
        self._usable: dict[str, tuple[Proxy, ...]] = {}
        self._kept: dict[Assignment, str] = {}
        self._accounts: Counter[str] = Counter()
        self._chosen_meanwhile: dict[Assignment, str] | None = None
        self.unwritten: dict[Assignment, str] = {}
        self.unwritten_health: dict[int, ProxyHealth] = {}
        self.has_moved = asyncio.Event()
        self._listeners: list[Callable[[Proxy, Proxy], None]] = []
        pool.subscribe(self._settle)

    def subscribe(self, listener: Callable[[Proxy, Proxy], None]) -> None:
        """Call this with a proxy as it was and as it is when its state has changed; it must be quick and must not raise."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Take in what storage holds. What this process knows better about the health of a proxy stays."""
        # Choices that are written while storage is read may be in what is read, or not.
        chosen = self._chosen_meanwhile = dict(self.unwritten)
        found = {proxy.name: proxy for proxy in await self._stored.all()}
        kept: dict[Assignment, str] = {}
        async for batch in self._stored.assignments():
            kept |= batch
        for name, proxy in found.items():
            known = self._proxies.get(name)
            if known is not None and known.url == proxy.url and _is_newer(known.health, proxy.health):
                found[name] = replace(proxy, health=known.health)
        self._proxies, self._kept, self._chosen_meanwhile = found, kept | chosen, None
        self._accounts = Counter(self._kept.values())
        self._index()

    def all(self) -> tuple[Proxy, ...]:
        """Every proxy as this process knows it."""
        return tuple(self._proxies.values())

    def health_of(self, proxy: Proxy) -> ProxyHealth | None:
        """What is known of its health by now; None when it is gone, or leads somewhere else."""
        current = self._proxies.get(proxy.name)
        return None if current is None or current.url != proxy.url else current.health

    def accounts_of(self, proxy: Proxy) -> int:
        """How many accounts have it, of its pool or by its name. Looks at every account."""
        wanted = self._options().proxy
        named = sum((account.proxy or wanted) == proxy.name for account in self._pool)
        return named + self._accounts[proxy.name]

    def way(self, account_id: int) -> Way:
        """How this account reaches upstream; `NOBODY` for one that is not there yet.

        Raises:
            ProxyUnavailableError: There is no way now.
        """
        account = self._pool.get(account_id)
        wanted = account.proxy if account is not None and account.proxy else self._options().proxy
        return self._way(wanted, account_id)

    def media_way(self, account_id: int) -> Way:
        """How downloads of this account leave.

        Raises:
            ProxyUnavailableError: There is no way now.
        """
        wanted = self._options().media_proxy
        return self._way(wanted, account_id) if wanted else self.way(account_id)

    def has_way(self, account: Account) -> bool:
        """Whether there is a way to upstream for this account now."""
        options = self._options()
        wanted = account.proxy or options.proxy
        if not wanted or wanted == DIRECT or self._usable.get(wanted):
            return True
        return wanted in self._usable and options.proxy_direct_fallback

    def failed(self, error: ProxyUnavailableError) -> None:
        """Book that nothing came through a proxy; accounts move on at once if it cannot be used any more."""
        for name in self._by_url.get(error.proxy, ()) if error.proxy is not None else ():
            proxy = self._proxies[name]
            health = proxy.health.failed(self._clock.now(), error.message, is_certain=error.is_certain)
            self.take(proxy, health)

    def worked(self, way: Way) -> None:
        """Book that something came through."""
        proxy = way.proxy
        if proxy is not None and (proxy.health.failures or proxy.health.state is not ProxyState.HEALTHY):
            current = self._proxies.get(proxy.name)
            # One that was found dead meanwhile comes back by a check: this call may have begun long ago.
            if current is not None and current.health.state is not ProxyState.DOWN:
                self.take(current, current.health.worked(self._clock.now()))

    def take(self, proxy: Proxy, health: ProxyHealth) -> None:
        """Note a proxy's health."""
        current = self._proxies.get(proxy.name)
        if current is None or current.url != proxy.url:
            return
        changed = self._proxies[proxy.name] = replace(current, health=health)
        self.unwritten_health[proxy.id] = health
        if health.state is not current.health.state:
            level = logging.WARNING if health.state is ProxyState.DOWN else logging.INFO
            log.log(level, "proxy is now %s", health.state, extra={"proxy": proxy.name, "reason": health.fault})
            for listener in self._listeners:
                listener(current, changed)
        self._index()

    def check_options(self, before: Options, after: Options) -> None:
        """Refuse a change of options that names a proxy or a pool which is not there.

        Raises:
            UnsupportedInputError: One is not known.
        """
        for option in ("proxy", "media_proxy"):
            name: str = getattr(after, option)
            if name in ("", DIRECT) or name in self._usable or name == getattr(before, option):
                continue
            near = get_close_matches(name, sorted(self._usable), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " `flow2api proxies list` shows those that there are."
            raise UnsupportedInputError(f"There is no proxy and no pool {name[:64]!r}.{hint}", param=option)

    def follow_options(self, _: Options) -> None:
        """The options have changed: other proxies may be meant by them."""
        self.has_moved.set()

    def _way(self, wanted: str, account_id: int) -> Way:
        if not wanted or wanted == DIRECT:
            return _DIRECT
        found = self._usable.get(wanted)
        if found:
            return Way(found[0] if wanted in self._proxies else self._of_pool(wanted, found, account_id))
        if found is not None and self._options().proxy_direct_fallback:
            return _DIRECT
        if found is None:
            raise ProxyUnavailableError("The proxy that the account is to use is not known.", is_certain=False)
        raise ProxyUnavailableError("No proxy that the account may use works now.", is_certain=False)

    def _of_pool(self, pool: str, members: tuple[Proxy, ...], account_id: int) -> Proxy:
        kept = self._kept.get((account_id, pool))
        former = None if kept is None else self._proxies.get(kept)
        if former is not None and former.pool == pool and former.standing is members[0].standing:
            return former
        offered = [Member(one.name, self._accounts[one.name]) for one in members]
        chosen = self._selector(self._options().proxy_selector).select(account_id, offered)
        if account_id != NOBODY:
            self._keep((account_id, pool), kept, chosen.name)
        return self._proxies[chosen.name]

    def _keep(self, assignment: Assignment, before: str | None, name: str) -> None:
        if before is not None:
            self._accounts[before] -= 1
            log.info("account has another proxy", extra={"account_id": assignment[0], "proxy": name, "before": before})
        self._accounts[name] += 1
        self._kept[assignment] = self.unwritten[assignment] = name
        if self._chosen_meanwhile is not None:
            self._chosen_meanwhile[assignment] = name

    def _index(self) -> None:
        """Have at hand what choices ask for."""
        named: defaultdict[str, list[Proxy]] = defaultdict(list)
        by_url: defaultdict[Secret, list[str]] = defaultdict(list)
        for proxy in self._proxies.values():
            by_url[proxy.url].append(proxy.name)
            if proxy.pool is not None:
                named[proxy.pool].append(proxy)
        for proxy in self._proxies.values():
            named[proxy.name] = [proxy]
        before = self._open_names()
        self._by_url = {url: tuple(names) for url, names in by_url.items()}
        self._usable = {name: usable(proxies) for name, proxies in named.items()}
        if self._open_names() != before:
            self.has_moved.set()

    def _open_names(self) -> Mapping[str, bool]:
        return {name: bool(proxies) for name, proxies in self._usable.items()}

    def _settle(self, account: Account) -> None:
        """An account was put into the pool."""
        self._pool.reach(account.id, has_way=self.has_way(account))


def _is_newer(one: ProxyHealth, other: ProxyHealth) -> bool:
    return one.checked_at is not None and (other.checked_at is None or one.checked_at > other.checked_at)
