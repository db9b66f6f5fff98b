"""Leaves an upstream's host alone that fails for most accounts, and finds out when it is back."""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flow2api.domain.account import Place
from flow2api.domain.breaker import Breaker, BreakerState, BreakerStatus, Host
from flow2api.domain.errors import UpstreamPausedError
from flow2api.domain.failover import tells_that_it_fares_well
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.system import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """A host of an upstream is left alone from now on, or is called again.

    Attributes:
        cause: The error that decided it, as one sentence; empty when it fares well.
        base_url: Where it is, of an upstream whose accounts say so.
    """

    upstream: str
    host: Host
    state: BreakerState
    cause: str = ""
    base_url: str | None = None


class GuardUpstreams:
    """A breaker for each host of each upstream. Every call in the name of an account goes through `during`.

    While sessions can't be exchanged, accounts with a token that is still good serve as ever. Where accounts say by a base
    URL at which host they are served, one that fails closes no other: the upstream goes on as long as one is called.
    """

    def __init__(self, clock: Clock, hosts: Callable[[str], Collection[str]] = lambda upstream: ()) -> None:
        """Begin with all of them called.

        Args:
            hosts: The base URLs of an upstream's accounts; none for one whose accounts have none.
        """
        self._clock = clock
        self._hosts = hosts
        self._breakers: defaultdict[tuple[Place, Host], Breaker] = defaultdict(Breaker)
        self._left_alone: dict[str, dict[str | None, Breaker]] = {}
        """By upstream and base URL what is not closed, so that a look at what fares well costs next to nothing."""
        self._listeners: list[Callable[[BreakerChange], None]] = []

    def subscribe(self, listener: Callable[[BreakerChange], None]) -> None:
        """Call this with every change; it must be quick and must not raise."""
        self._listeners.append(listener)

    def statuses(self) -> Mapping[tuple[Place, Host], BreakerStatus]:
        """How the breaker of every host stands that was called since the start."""
        at = self._clock.monotonic()
        return {where: breaker.status(at) for where, breaker in self._breakers.items()}

    def wait_s(self, upstream: str) -> float | None:
        """Seconds for which nothing is asked of this upstream at any of its hosts; None when requests go on."""
        at, soonest = self._clock.monotonic(), None
        for breaker in self._if_all_left_alone(upstream):
            wait_s = breaker.wait_s(at)
            if wait_s is None:
                return None
            soonest = wait_s if soonest is None else min(soonest, wait_s)
        return soonest

    def wait_s_at(self, place: Place) -> float | None:
        """Seconds for which nothing is asked at this place; None when a call may be made."""
        breaker = self._left_alone.get(place[0], {}).get(place[1])
        return None if breaker is None else breaker.wait_s(self._clock.monotonic())

    def places_left_alone(self) -> Sequence[Place]:
        """The places where nothing is asked now, of all upstreams."""
        if not self._left_alone:
            return ()
        at = self._clock.monotonic()
        return [
            (upstream, base_url)
            for upstream, breakers in self._left_alone.items()
            for base_url, breaker in breakers.items()
            if breaker.wait_s(at) is not None
        ]

    def is_left_alone(self, place: Place) -> bool:
        """Whether a host of this place is known to fail for most accounts, and has not answered well since."""
        breakers = (self._breakers.get((place, host)) for host in Host)
        at = self._clock.monotonic()
        return any(one is not None and one.state(at) is not BreakerState.CLOSED for one in breakers)

    def is_half_open(self, place: Place) -> bool:
        """Whether it is to be found out now how this place fares, by a call that spends nothing."""
        breaker = self._left_alone.get(place[0], {}).get(place[1])
        return breaker is not None and breaker.state(self._clock.monotonic()) is BreakerState.HALF_OPEN

    async def turn(self, upstream: str, kind: MediaKind, limit_s: float) -> None:
        """Return when a request may go on: at once while a host fares well; of those that wait, one tries.

        Args:
            limit_s: How long a video may wait. Pictures don't wait.

        Raises:
            UpstreamPausedError: The upstream is left alone for now.
        """
        if upstream not in self._left_alone:
            return
        began = self._clock.monotonic()
        while (wait_s := self._take_turn(upstream)) is not None:
            if kind is MediaKind.IMAGE or self._clock.monotonic() + wait_s > began + limit_s:
                raise UpstreamPausedError(wait_s)
            await self._clock.sleep(wait_s)

    def pass_turn_on(self, upstream: str) -> None:
        """A request goes on no further. If it was the one that tries and has asked nothing, the next one may."""
        for breaker in self._left_alone.get(upstream, {}).values():
            breaker.pass_turn_on()

    async def during(
        self,
        place: Place,
        account_id: int,
        call: Callable[[], Awaitable[T]],
        host: Host = Host.API,
        *,
        spends: bool = False,
    ) -> T:
        """Make a call, and learn from how it ends.

        Args:
            place: Where the account is served.
            spends: It costs credits, so it is only made while all is well: nothing is staked on finding that out.

        Raises:
            UpstreamPausedError: It was not made, the host is left alone.
        """
        breaker, began = self._breakers[place, host], self._clock.monotonic()
        if (spends and breaker.state(began) is not BreakerState.CLOSED) or not breaker.admit(began):
            raise UpstreamPausedError(breaker.wait_s(began) or 0.0)
        try:
            result = await call()
        except BaseException as error:
            went_well = tells_that_it_fares_well(error)
            if went_well is None:
                breaker.abandon(began)
            elif breaker.note(account_id, self._clock.monotonic(), went_well=went_well, began=began):
                self._changed(place, host, "" if went_well else str(error))
            raise
        if breaker.note(account_id, self._clock.monotonic(), went_well=True, began=began):
            self._changed(place, host)
        return result

    def late(self, place: Place, account_id: int, error: Exception) -> None:
        """Note that a call was given up by who made it, because no answer came in all the time that there was."""
        at = self._clock.monotonic()
        if self._breakers[place, Host.API].note(account_id, at, went_well=False, began=at):
            self._changed(place, Host.API, str(error))

    def _if_all_left_alone(self, upstream: str) -> Sequence[Breaker]:
        """The breakers of all hosts that accounts of this upstream have, unless one of them is called as ever."""
        left_alone = self._left_alone.get(upstream)
        if left_alone is None:
            return ()
        found = [left_alone.get(host) for host in self._hosts(upstream) or left_alone]
        breakers = [one for one in found if one is not None]
        return breakers if len(breakers) == len(found) else ()

    def _take_turn(self, upstream: str) -> float | None:
        at, soonest = self._clock.monotonic(), None
        for breaker in self._if_all_left_alone(upstream):
            wait_s = breaker.take_turn(at)
            if wait_s is None:
                return None
            soonest = wait_s if soonest is None else min(soonest, wait_s)
        return soonest

    def _changed(self, place: Place, host: Host, cause: str = "") -> None:
        """A breaker stands differently now; without a cause its host is called again."""
        breaker = self._breakers[place, host]
        state = breaker.state(self._clock.monotonic())
        if host is Host.API:
            self._remember(place, breaker, is_left_alone=state is not BreakerState.CLOSED)
        upstream, base_url = place
        about = {"upstream": upstream, "base_url": base_url, "host": host.value}
        if state is BreakerState.CLOSED:
            log.info("upstream is called again", extra=about)
        else:
            log.warning("upstream is left alone for a while", extra={**about, "cause": cause})
        for listener in self._listeners:
            listener(BreakerChange(upstream, host, state, cause, base_url))

    def _remember(self, place: Place, breaker: Breaker, *, is_left_alone: bool) -> None:
        upstream, base_url = place
        if is_left_alone:
            self._left_alone.setdefault(upstream, {})[base_url] = breaker
            return
        breakers = self._left_alone.get(upstream, {})
        breakers.pop(base_url, None)
        if not breakers:
            self._left_alone.pop(upstream, None)
