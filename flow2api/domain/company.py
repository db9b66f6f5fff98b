"""Batches of work that several callers share."""

import asyncio


class Company:
    """Holds a worker back between two batches while it has company, so that the next trip serves more of them.

    Each trip to a thread that works costs more than what is done there, for both want the interpreter all the time. Who
    comes alone is never held back, however often.

    Args:
        pace_s: How far apart batches begin then.
    """

    def __init__(self, pace_s: float) -> None:
        self._pace_s = pace_s
        self._began = 0.0

    def begin(self) -> None:
        """A batch begins now."""
        self._began = asyncio.get_running_loop().time()

    async def gather(self, *, is_alone: bool) -> None:
        """Return when the next batch may begin.

        Args:
            is_alone: The batch that has ended was a single caller's, and nobody came meanwhile.
        """
        rest_s = self._began + self._pace_s - asyncio.get_running_loop().time()
        if not is_alone and rest_s > 0:
            await asyncio.sleep(rest_s)
