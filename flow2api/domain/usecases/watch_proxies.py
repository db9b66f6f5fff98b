"""Notices for operators about proxies that stop working, and that work again."""

from collections.abc import Callable

from flow2api.domain.notices import Notice, proxy_dead, proxy_recovered
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import Proxy, ProxyState
from flow2api.domain.usecases.choose_proxy import ChooseProxy


class WatchProxies:
    """Spreads a notice when a proxy goes down, and one when it is back."""

    def __init__(self, choose: ChooseProxy, spread: Callable[[Notice], None], clock: Clock) -> None:
        self._choose = choose
        self._spread = spread
        self._clock = clock
        choose.subscribe(self.changed)

    def changed(self, before: Proxy, after: Proxy) -> None:
        """The health of a proxy is another one now."""
        was_down, is_down = before.health.state is ProxyState.DOWN, after.health.state is ProxyState.DOWN
        if is_down and not was_down:
            self._spread(proxy_dead(after.name, self._clock.now(), self._choose.accounts_of(after)))
        elif was_down and not is_down:
            self._spread(proxy_recovered(after.name, self._clock.now()))
