"""The ways to upstream, over what plugins offer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from flow2api.adapters.probe import CurlProxyProbe
from flow2api.app.current_options import CurrentOptions
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.proxy import Member, ProxySelector
from flow2api.domain.usecases.check_proxies import CheckProxies, KeepProxies
from flow2api.domain.usecases.choose_proxy import ChooseProxy
from flow2api.domain.usecases.route_calls import RouteCalls, RoutedUpstream
from flow2api.extensions import Extensions

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxying:
    """The use cases of proxies."""

    choose: ChooseProxy
    check: CheckProxies
    keep: KeepProxies
    routes: RouteCalls

    def routed(self, upstreams: Mapping[str, Upstream]) -> dict[str, Upstream]:
        """The upstreams, called along the ways of the accounts."""
        return {name: RoutedUpstream(upstream, self.routes) for name, upstream in upstreams.items()}


def build_proxying(
    extensions: Extensions, storage: Storage, pool: AccountPool, options: CurrentOptions, clock: Clock
) -> Proxying:
    """All of them."""
    choose = ChooseProxy(storage.proxies, pool, _Selectors(extensions), clock, options)
    check = CheckProxies(CurlProxyProbe(), storage.proxies, storage.audit_log, clock, options)
    return Proxying(
        choose=choose,
        check=check,
        keep=KeepProxies(choose, check, storage.proxies, pool, clock, options),
        routes=RouteCalls(choose),
    )


class GuardedSelector:
    """A selector under its name. When it raises or returns what it was not given, the account's usual member is taken."""

    def __init__(self, name: str, build: Callable[[], ProxySelector]) -> None:
        self._name = name
        self._build = build
        self._made: ProxySelector | None = None
        self._is_told = False

    def select(self, account_id: int, members: Sequence[Member]) -> Member:
        """What the selector selects, or one by the account's number."""
        try:
            self._made = self._made or self._build()
            chosen: object = self._made.select(account_id, members)
            for member in members:
                if member == chosen:
                    return member
            raise TypeError(f"select returned {type(chosen).__name__}, none of the members")  # noqa: TRY301
        except (Exception, SystemExit):
            if not self._is_told:  # once: it goes on for every account
                self._is_told = True
                log.exception("proxy selector failed", selector=self._name)
        return sorted(members, key=lambda member: member.name)[account_id % len(members)]


class _Selectors:
    """The proxy selectors, each made once, when it is first asked for."""

    def __init__(self, extensions: Extensions) -> None:
        self._named = extensions.proxy_selectors
        self._made: dict[str, ProxySelector] = {}

    def __call__(self, name: str) -> ProxySelector:
        selector = self._made.get(name)
        if selector is None:
            selector = self._made[name] = GuardedSelector(name, self._named[name].build)
        return selector
