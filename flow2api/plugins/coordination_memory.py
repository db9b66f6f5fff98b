"""Slots counted in this process alone."""

from collections import Counter
from collections.abc import Iterable
from itertools import count

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import Slots
from flow2api.hookspecs import CoordinationFactory, NoSettings, Section, SettingsSection, hookimpl


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


def _build(url: str, section: Section) -> Slots:
    return MemorySlots()


@hookimpl
def register_coordinations() -> Iterable[CoordinationFactory]:
    """The default: one process needs nothing else."""
    return [CoordinationFactory("memory", ("memory",), _build)]


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """Its section is empty."""
    return [SettingsSection("memory", NoSettings)]
