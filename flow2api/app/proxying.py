"""The ways to upstream, over what plugins offer."""

from collections.abc import Mapping
from dataclasses import dataclass

from flow2api.adapters.probe import CurlProxyProbe
from flow2api.app.current_options import CurrentOptions
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.proxy import ProxySelector
from flow2api.domain.usecases.check_proxies import CheckProxies, KeepProxies
from flow2api.domain.usecases.choose_proxy import ChooseProxy
from flow2api.domain.usecases.route_calls import RouteCalls, RoutedUpstream
from flow2api.extensions import Extensions


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


class _Selectors:
    """The proxy selectors, each made once, when it is first asked for."""

    def __init__(self, extensions: Extensions) -> None:
        self._named = extensions.proxy_selectors
        self._made: dict[str, ProxySelector] = {}

    def __call__(self, name: str) -> ProxySelector:
        selector = self._made.get(name)
        if selector is None:
            selector = self._made[name] = self._named[name].build()
        return selector
