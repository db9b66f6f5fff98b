"""Slots, limits and events of this process alone."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from time import monotonic

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import Coordination
from flow2api.hookspecs import CoordinationFactory, NoSettings, Section, SettingsSection, hookimpl

_LEAST_REMEMBERED = 1024


class MemorySlots:
    """Counts in a dictionary; right for one process, and gone with it."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[int, MediaKind]] = Counter()
        self._tickets: dict[str, tuple[int, MediaKind]] = {}
        self._numbers = count(1)

    async def take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        """Take one slot unless all are taken."""
        return self.take_now(account_id, kind, limit)

    async def give_back(self, ticket: str) -> None:
        """Give the slot back, once."""
        self.give_back_now(ticket)

    def take_now(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        """Take one slot unless all are taken, without waiting."""
        place = (account_id, kind)
        if limit is not None and self._taken[place] >= limit:
            return None
        self._taken[place] += 1
        ticket = str(next(self._numbers))
        self._tickets[ticket] = place
        return ticket

    def give_back_now(self, ticket: str) -> None:
        """Give the slot back, once, without waiting."""
        place = self._tickets.pop(ticket, None)
        if place is not None:
            self._taken[place] -= 1
            if not self._taken[place]:
                del self._taken[place]


class MemoryLimits:
    """Counts in a dictionary, from which windows that are over go when it has grown.

    Args:
        time_s: Tells monotonic time in seconds.
    """

    def __init__(self, time_s: Callable[[], float] = monotonic) -> None:
        self._time_s = time_s
        self._windows: dict[str, tuple[float, int]] = {}
        self._prune_at = _LEAST_REMEMBERED

    def __len__(self) -> int:
        return len(self._windows)

    async def spend(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        """Count uses, all of them or none."""
        return self.spend_now(subject, amount, limit, window_s)

    def spend_now(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        """Count uses, all of them or none, without waiting."""
        now = self._time_s()
        ends, used = self._windows.get(subject, (now, 0))
        if ends <= now:
            ends, used = now + window_s, 0
        if used + amount > limit:
            return ends - now
        self._windows[subject] = (ends, used + amount)
        if len(self._windows) > self._prune_at:
            self._windows = {name: window for name, window in self._windows.items() if window[0] > now}
            self._prune_at = max(_LEAST_REMEMBERED, 2 * len(self._windows))
        return None

    def used_now(self, subject: str) -> tuple[int, float]:
        """How many uses are counted in the window of a subject, and in how many seconds that ends."""
        now = self._time_s()
        ends, used = self._windows.get(subject, (now, 0))
        return (used, ends - now) if ends > now else (0, 0.0)

    def give_back_now(self, subject: str, amount: int) -> None:
        """Count so many uses less, unless the window is over."""
        used, _ = self.used_now(subject)
        if used:
            self._windows[subject] = (self._windows[subject][0], max(used - amount, 0))


class MemoryEvents:
    """Tells those who listen in this process."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str, str], None]] = []

    async def publish(self, topic: str, about: str) -> None:
        """Tell them at once."""
        for heard in tuple(self._listeners):
            heard(topic, about)

    async def listen(self, heard: Callable[[str, str], None]) -> None:
        """Have it called until this is cancelled."""
        self._listeners.append(heard)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._listeners.remove(heard)


class MemoryCoordination:
    """All that one process needs; there is nobody else to agree with."""

    is_shared = False

    def __init__(self) -> None:
        self.slots = MemorySlots()
        self.limits = MemoryLimits()
        self.events = MemoryEvents()

    async def ping(self) -> None:
        """Memory can be reached."""

    async def aclose(self) -> None:
        """There is nothing to disconnect."""


def _build(url: str, section: Section) -> Coordination:
    return MemoryCoordination()


@hookimpl
def register_coordinations() -> Iterable[CoordinationFactory]:
    """The default: one process needs nothing else."""
    return [CoordinationFactory("memory", ("memory",), _build)]


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """Its section is empty."""
    return [SettingsSection("memory", NoSettings)]
