"""What others coordinate may be out of reach."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from flow2api.domain.errors import CoordinationError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import (
    Coordination,
    CountsInMemory,
    Events,
    Limits,
    LimitsInMemory,
    RefundsUses,
    Slots,
)

T = TypeVar("T")

log = structlog.get_logger(__name__)

ANSWERED_WITHIN_S = 2.0
ASKED_AGAIN_AFTER_S = 1.0


class Reach:
    """Whether the coordination can be reached.

    After a call that has failed nobody waits for another such failure: for a second all are refused at once, then it is asked again.

    Args:
        time_s: Tells monotonic time in seconds.
    """

    def __init__(self, time_s: Callable[[], float]) -> None:
        self._time_s = time_s
        self._asked_again_at = float("-inf")
        self._is_lost = False

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call answers.

        Raises:
            CoordinationError: It has failed, or one has just now.
        """
        if self._time_s() < self._asked_again_at:
            raise _unavailable()
        try:
            answer = await call()
        except Exception as error:
            self._asked_again_at = self._time_s() + ASKED_AGAIN_AFTER_S
            if not self._is_lost:
                self._is_lost = True
                log.exception("coordination cannot be reached, nothing that needs it is begun")
            raise _unavailable() from error
        if self._is_lost:
            self._is_lost = False
            log.warning("coordination can be reached again")
        return answer


class GuardedCoordination:
    """A coordination whose slots and limits refuse with an error of ours while they cannot be counted.

    Both are safe: no account ever carries more than its capacity, and no key gets more than its limit. Parts that ask nobody
    else are left as they are; so are the events, which may be lost.

    Args:
        time_s: Tells monotonic time in seconds.
    """

    def __init__(self, coordination: Coordination, time_s: Callable[[], float]) -> None:
        self._coordination = coordination
        self.is_shared = coordination.is_shared
        reach, slots, limits = Reach(time_s), coordination.slots, coordination.limits
        self.slots: Slots = slots if isinstance(slots, CountsInMemory) else GuardedSlots(slots, reach)
        self.limits: Limits = limits if isinstance(limits, LimitsInMemory) else _guarded(limits, reach)
        self.events: Events = coordination.events

    async def ping(self) -> None:
        """As `Coordination.ping`."""
        await self._coordination.ping()

    async def aclose(self) -> None:
        """As `Coordination.aclose`; a fault in it keeps nobody from ending."""
        try:
            await self._coordination.aclose()
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            reason = f"{type(error).__name__}: {error}"
            log.warning("coordination not closed; what it holds ends with its time limit", reason=reason)


class GuardedSlots:
    """Slots that are refused with an error of ours when nobody can count them.

    Args:
        answered_within_s: How long an answer is waited for. A ticket that comes later is given back.
    """

    def __init__(self, slots: Slots, reach: Reach, *, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
        self._slots = slots
        self._reach = reach
        self._answered_within_s = answered_within_s
        self._late: set[asyncio.Task[None]] = set()

    async def take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        """As `Slots.take`.

        Raises:
            CoordinationError: It cannot be counted now.
        """
        return await self._reach.ask(lambda: self._take(account_id, kind, limit))

    async def _take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        taking = asyncio.ensure_future(self._slots.take(account_id, kind, limit))
        try:
            async with asyncio.timeout(self._answered_within_s):
                return await asyncio.shield(taking)
        except BaseException:
            # It may be counted by now, or soon: cut off, it would be held by nobody.
            taking.add_done_callback(self._return_late)
            raise

    def _return_late(self, taking: "asyncio.Future[str | None]") -> None:
        if not taking.cancelled() and taking.exception() is None and (ticket := taking.result()) is not None:
            self._late.add(task := asyncio.ensure_future(self._return(ticket)))
            task.add_done_callback(self._late.discard)

    async def _return(self, ticket: str) -> None:
        try:
            await self._slots.give_back(ticket)
        except Exception:
            log.exception("slot that came late not given back; it ends with its time limit")

    async def give_back(self, ticket: str) -> None:
        """As `Slots.give_back`; tried in any case, for nobody waits for it."""
        await self._slots.give_back(ticket)


class GuardedLimits:
    """Limits that refuse with an error of ours when nobody can count."""

    def __init__(self, limits: Limits, reach: Reach) -> None:
        self._limits = limits
        self._reach = reach

    async def spend(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        """As `Limits.spend`.

        Raises:
            CoordinationError: It cannot be counted now.
        """
        return await self._reach.ask(lambda: self._limits.spend(subject, amount, limit, window_s))


class GuardedRefunds(GuardedLimits):
    """The same where uses can be given back."""

    def __init__(self, limits: Limits, refunds: RefundsUses, reach: Reach) -> None:
        super().__init__(limits, reach)
        self._refunds = refunds

    async def refund(self, subject: str, amount: int) -> None:
        """As `RefundsUses.refund`; tried in any case, for nobody waits for it."""
        await self._refunds.refund(subject, amount)


def _guarded(limits: Limits, reach: Reach) -> GuardedLimits:
    return GuardedRefunds(limits, limits, reach) if isinstance(limits, RefundsUses) else GuardedLimits(limits, reach)


def _unavailable() -> CoordinationError:
    return CoordinationError(
        "The processes of this gateway cannot agree on slots and limits now, so nothing was begun; try again in a few seconds."
    )
