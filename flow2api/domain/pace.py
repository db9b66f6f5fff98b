"""How fast slots come free."""

from collections import deque
from dataclasses import dataclass, field

from flow2api.domain.media import MediaKind

_REMEMBERED = 64
_WINDOW_S = 1800.0


@dataclass(slots=True)
class _Slots:
    """Slots that are as good as each other for who waits.

    Attributes:
        held: How many are held now.
        changed_at: When one was taken or given back for the last time.
        returned: When the latest ones were given back, and how long each was held.
    """

    held: int = 0
    changed_at: float = 0.0
    returned: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


class Pace:
    """How long slots are held, and how many are, by upstream and kind of media, and over all.

    Times are monotonic seconds. Quiet hours say nothing about how fast slots come free once all are taken, so that it is not
    counted how often one did.
    """

    def __init__(self) -> None:
        self._all = _Slots()
        self._of: dict[tuple[str, MediaKind], _Slots] = {}

    def carried(self, upstream: str, kind: MediaKind, change: int, at: float) -> None:
        """So many more slots are held."""
        for slots in (self._slots(upstream, kind), self._all):
            slots.held += change
            slots.changed_at = at

    def returned(self, upstream: str, kind: MediaKind, at: float, held_s: float) -> None:
        """A slot was given back after so long."""
        for slots in (self._slots(upstream, kind), self._all):
            slots.returned.append((at, held_s))

    def seconds_for(self, upstream: str, kind: MediaKind, slots: int, now: float) -> float | None:
        """How long it takes until so many slots have come free, going by the last half hour; None when nothing is known.

        A service that has come to a stand makes the estimate grow with every second.
        """
        known = self._of.get((upstream, kind))
        return None if known is None else _seconds_for(known, slots, now)

    def seconds_for_any(self, slots: int, now: float) -> float | None:
        """The same for slots of every kind."""
        return _seconds_for(self._all, slots, now)

    def _slots(self, upstream: str, kind: MediaKind) -> _Slots:
        slots = self._of.get((upstream, kind))
        if slots is None:
            slots = self._of[upstream, kind] = _Slots()
        return slots


def _seconds_for(known: _Slots, slots: int, now: float) -> float | None:
    returned = known.returned
    while returned and returned[0][0] < now - _WINDOW_S:
        returned.popleft()
    if not returned:
        return None
    usual_s = sum(held_s for _, held_s in returned) / len(returned)
    return slots * max(usual_s, now - known.changed_at) / max(1, known.held)
