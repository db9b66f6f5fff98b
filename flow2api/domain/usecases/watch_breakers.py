"""Notices for operators about upstreams that are left alone, and that are called again."""

from collections.abc import Callable

from flow2api.domain.account import Place
from flow2api.domain.breaker import BreakerState, Host
from flow2api.domain.notices import Notice, breaker_closed, breaker_opened
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.guard_upstreams import BreakerChange, GuardUpstreams


class WatchBreakers:
    """Spreads a notice when a host of an upstream is left alone, and one when it answers again; trials between are silent."""

    def __init__(self, guard: GuardUpstreams, spread: Callable[[Notice], None], clock: Clock) -> None:
        self._spread = spread
        self._clock = clock
        self._left_alone: set[tuple[Place, Host]] = set()
        guard.subscribe(self.changed)

    def changed(self, change: BreakerChange) -> None:
        """A breaker stands differently now."""
        place = ((change.upstream, change.base_url), change.host)
        name = change.upstream if change.base_url is None else f"{change.upstream} at {change.base_url}"
        name = name if change.host is Host.API else f"{name} (sign-in)"
        if change.state is BreakerState.OPEN and place not in self._left_alone:
            self._left_alone.add(place)
            self._spread(breaker_opened(name, self._clock.now(), change.cause))
        elif change.state is BreakerState.CLOSED and place in self._left_alone:
            self._left_alone.discard(place)
            self._spread(breaker_closed(name, self._clock.now()))
