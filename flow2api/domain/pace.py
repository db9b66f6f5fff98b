"""How fast slots come free."""

from collections import deque

from flow2api.domain.media import MediaKind

_REMEMBERED = 64
_WINDOW_S = 1800.0


class Pace:
    """When slots were given back lately, by upstream and kind of media."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, MediaKind] | None, deque[float]] = {None: deque(maxlen=_REMEMBERED)}

    def note(self, upstream: str, kind: MediaKind, at: float) -> None:
        """A slot was given back; ``at`` is monotonic time in seconds."""
        times = self._times.get((upstream, kind))
        if times is None:
            times = self._times[upstream, kind] = deque(maxlen=_REMEMBERED)
        times.append(at)
        self._times[None].append(at)

    def seconds_for(self, upstream: str, kind: MediaKind, slots: int, now: float) -> float | None:
        """How long it takes until so many slots have come free, going by the last half hour; None when nothing is known.

        A service that has come to a stand makes the estimate grow with every second.
        """
        return self._seconds_for((upstream, kind), slots, now)

    def seconds_for_any(self, slots: int, now: float) -> float | None:
        """The same for slots of every kind."""
        return self._seconds_for(None, slots, now)

    def _seconds_for(self, place: tuple[str, MediaKind] | None, slots: int, now: float) -> float | None:
        times = self._times.get(place)
        while times and times[0] < now - _WINDOW_S:
            times.popleft()
        if not times or now <= times[0]:
            return None
        return slots * (now - times[0]) / len(times)
