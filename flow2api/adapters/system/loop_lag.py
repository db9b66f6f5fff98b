"""How late the event loop is, measured by a timer that should come on time."""

import asyncio
from collections import deque

EVERY_S = 0.5
_KEPT = 240


class LoopLag:
    """The last two minutes."""

    def __init__(self) -> None:
        self._late_s: deque[float] = deque(maxlen=_KEPT)

    async def run(self) -> None:
        """Measure, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self.note(loop.time() - due)

    def note(self, late_s: float) -> None:
        """One measurement in seconds; a timer that comes early counts as one on time."""
        self._late_s.append(max(0.0, late_s))

    def percentile_s(self, share: float) -> float | None:
        """Of this share of the measurements none was later; None before the first one."""
        ordered = sorted(self._late_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
