"""How fast slots come free."""

from collections import deque

from flow2api.domain.media import MediaKind

_REMEMBERED = 64
_WINDOW_S = 1800.0

_Returned = deque[tuple[float, float]]
"""When slots were given back, and how long each was held."""


class Pace:
    """How long slots were held lately, by upstream and kind of media, and over all. Times are monotonic seconds.

    How often one came free is not counted: quiet hours would say that it takes long.
    """

    def __init__(self) -> None:
        self._all = _Returned(maxlen=_REMEMBERED)
        self._of: dict[tuple[str, MediaKind], _Returned] = {}

    def returned(self, upstream: str, kind: MediaKind, at: float, held_s: float) -> None:
        """A slot was given back after so long."""
        lately = self._of.get((upstream, kind))
        if lately is None:
            lately = self._of[upstream, kind] = _Returned(maxlen=_REMEMBERED)
        entry = (at, held_s)
        lately.append(entry)
        self._all.append(entry)

    def seconds_for(
        self, slots: int, now: float, *, held: int, latest: float = 0.0, place: tuple[str, MediaKind] | None = None
    ) -> float | None:
        """How long it takes until so many slots have come free, going by the last half hour; None when nothing is known.

        A service that has come to a stand makes the estimate grow with every second.

        Args:
            held: How many such slots are held now.
            latest: When the latest of these was taken.
            place: Upstream and kind of the slots; None for slots of every kind.
        """
        lately = self._all if place is None else self._of.get(place)
        while lately and lately[0][0] < now - _WINDOW_S:
            lately.popleft()
        if not lately:
            return None
        usual_s = sum(held_s for _, held_s in lately) / len(lately)
        still_s = now - max(latest, lately[-1][0])
        return slots * max(usual_s, still_s if latest else 0.0) / max(1, held)
