"""A coordination in memory that several processes of a test share, and that can be taken away from them."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from flow2api.domain.media import MediaKind

if TYPE_CHECKING:
    from flow2api.domain.ports.coordination import Coordination


@dataclass
class Meeting:
    """What the processes share.

    Attributes:
        fault: What every call fails with; None while all is well.
        is_stuck: No call comes to an end before `go_on`.
        calls: How often each was called.
        time_s: The seconds of the windows.
    """

    fault: Exception | None = None
    is_stuck: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    time_s: float = 0.0
    tickets: dict[str, tuple[object, int, MediaKind]] = field(default_factory=dict)
    windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    listeners: dict[Callable[[str, str], None], "asyncio.Future[None]"] = field(default_factory=dict)
    _may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def reached(self, call: str) -> None:
        """Go on only when the others can be reached."""
        self.calls[call] += 1
        await asyncio.sleep(0)
        if self.is_stuck:
            await self._may_go_on.wait()
        if self.fault is not None:
            raise self.fault

    def lose(self, fault: Exception) -> None:
        """From now on nobody reaches the others, and those who listen learn it."""
        self.fault = fault
        for listener in self.listeners.values():
            listener.set_exception(fault)
        self.listeners.clear()

    def go_on(self) -> None:
        """Let all calls come to an end that are stuck."""
        self.is_stuck = False
        self._may_go_on.set()

    def ticket(self) -> str:
        """One that nobody has."""
        return f"ticket {next(self._numbers)}"


class FakeCoordination:
    """One process at the meeting; it is slots, limits and events in one."""

    is_shared = True

    def __init__(self, meeting: Meeting | None = None) -> None:
        self.meeting = meeting or Meeting()
        self.slots = self.limits = self.events = self

    async def take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        await self.meeting.reached("take")
        taken = sum(place[1:] == (account_id, kind) for place in self.meeting.tickets.values())
        if limit is not None and taken >= limit:
            return None
        ticket = self.meeting.ticket()
        self.meeting.tickets[ticket] = (self, account_id, kind)
        return ticket

    async def give_back(self, ticket: str) -> None:
        await self.meeting.reached("give_back")
        self.meeting.tickets.pop(ticket, None)

    async def spend(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        await self.meeting.reached("spend")
        now = self.meeting.time_s
        ends, used = self.meeting.windows.get(subject, (now, 0))
        if ends <= now:
            ends, used = now + window_s, 0
        if used + amount > limit:
            return ends - now
        self.meeting.windows[subject] = (ends, used + amount)
        return None

    async def refund(self, subject: str, amount: int) -> None:
        await self.meeting.reached("refund")
        ends, used = self.meeting.windows.get(subject, (0.0, 0))
        if ends > self.meeting.time_s:
            self.meeting.windows[subject] = (ends, max(used - amount, 0))

    async def publish(self, topic: str, about: str) -> None:
        await self.meeting.reached("publish")
        for heard in tuple(self.meeting.listeners):
            heard(topic, about)

    async def listen(self, heard: Callable[[str, str], None]) -> None:
        await self.meeting.reached("listen")
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.meeting.listeners[heard] = over
        try:
            await over
        finally:
            self.meeting.listeners.pop(heard, None)

    async def ping(self) -> None:
        await self.meeting.reached("ping")

    async def aclose(self) -> None:
        own = [ticket for ticket, place in self.meeting.tickets.items() if place[0] is self]
        for ticket in own:
            del self.meeting.tickets[ticket]


if TYPE_CHECKING:
    _: Coordination = FakeCoordination()
