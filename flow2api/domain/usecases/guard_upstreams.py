"""Leaves an upstream alone that fails for most accounts, and finds out when it is back."""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

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
    """

    upstream: str
    host: Host
    state: BreakerState
    cause: str = ""


class GuardUpstreams:
    """A breaker for each host of each upstream. Every call in the name of an account goes through `during`.

    While sessions can't be exchanged, accounts with a token that is still good serve as ever.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._breakers: defaultdict[tuple[str, Host], Breaker] = defaultdict(Breaker)
        self._listeners: list[Callable[[BreakerChange], None]] = []

    def subscribe(self, listener: Callable[[BreakerChange], None]) -> None:
        """Call this with every change; it must be quick and must not raise."""
        self._listeners.append(listener)

    def statuses(self) -> Mapping[tuple[str, Host], BreakerStatus]:
        """How the breaker of every host stands that was called since the start."""
        at = self._clock.monotonic()
        return {place: breaker.status(at) for place, breaker in self._breakers.items()}

    def wait_s(self, upstream: str) -> float | None:
        """Seconds for which nothing is asked of this upstream; None when requests go on."""
        return self._breakers[upstream, Host.API].wait_s(self._clock.monotonic())

    def is_left_alone(self, upstream: str) -> bool:
        """Whether a host of this upstream is known to fail for most accounts, and has not answered well since."""
        breakers = (self._breakers.get((upstream, host)) for host in Host)
        at = self._clock.monotonic()
        return any(one is not None and one.state(at) is not BreakerState.CLOSED for one in breakers)

    def is_half_open(self, upstream: str) -> bool:
        """Whether it is to be found out now how this upstream fares, by a call that spends nothing."""
        return self._breakers[upstream, Host.API].state(self._clock.monotonic()) is BreakerState.HALF_OPEN

    async def turn(self, upstream: str, kind: MediaKind, limit_s: float) -> None:
        """Return when a request may go on: at once while all is well; of those that wait, one tries.

        Args:
            limit_s: How long a video may wait. Pictures don't wait.

        Raises:
            UpstreamPausedError: The upstream is left alone for now.
        """
        breaker, began = self._breakers[upstream, Host.API], self._clock.monotonic()
        while (wait_s := breaker.take_turn(self._clock.monotonic())) is not None:
            if kind is MediaKind.IMAGE or self._clock.monotonic() + wait_s > began + limit_s:
                raise UpstreamPausedError(wait_s)
            await self._clock.sleep(wait_s)

    def pass_turn_on(self, upstream: str) -> None:
        """A request goes on no further. If it was the one that tries and has asked nothing, the next one may."""
        self._breakers[upstream, Host.API].pass_turn_on()

    async def during(
        self,
        upstream: str,
        account_id: int,
        call: Callable[[], Awaitable[T]],
        host: Host = Host.API,
        *,
        spends: bool = False,
    ) -> T:
        """Make a call, and learn from how it ends.

        Args:
            spends: It costs credits, so it is only made while all is well: nothing is staked on finding that out.

        Raises:
            UpstreamPausedError: It was not made, the host is left alone.
        """
        breaker, began = self._breakers[upstream, host], self._clock.monotonic()
        if (spends and breaker.state(began) is not BreakerState.CLOSED) or not breaker.admit(began):
            raise UpstreamPausedError(breaker.wait_s(began) or 0.0)
        try:
            result = await call()
        except BaseException as error:
            went_well = tells_that_it_fares_well(error)
            if went_well is None:
                breaker.abandon(began)
            else:
                self._note((upstream, host), account_id, began, error, went_well=went_well)
            raise
        self._note((upstream, host), account_id, began, None, went_well=True)
        return result

    def late(self, upstream: str, account_id: int, error: Exception) -> None:
        """Note that a call was given up by who made it, because no answer came in all the time that there was."""
        self._note((upstream, Host.API), account_id, self._clock.monotonic(), error, went_well=False)

    def _note(
        self, place: tuple[str, Host], account_id: int, began: float, error: BaseException | None, *, went_well: bool
    ) -> None:
        breaker, at = self._breakers[place], self._clock.monotonic()
        if not breaker.note(account_id, at, went_well=went_well, began=began):
            return
        change = BreakerChange(*place, breaker.state(at), "" if went_well else str(error))
        if went_well:
            log.info("upstream is called again", extra={"upstream": change.upstream, "host": change.host.value})
        else:
            about = {"upstream": change.upstream, "host": change.host.value, "cause": change.cause}
            log.warning("upstream is left alone for a while", extra=about)
        for listener in self._listeners:
            listener(change)
