"""Small contents on their way in: those that come while the disk is busy go to it together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from flow2api.domain.apart import apart
from flow2api.domain.company import Company

PACE_S = 0.012
"""From one trip to the next while several contents come at once."""

Kept = tuple[str, int]
"""Address and size of a content."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    chunks: list[bytes]
    kept: asyncio.Future[Kept]


class GroupedPuts:
    """One trip to one thread for all that has come meanwhile. A lone content is written at once.

    A thread of its own for each would fight the event loop for the interpreter, at ten times the cost of the writing.

    Args:
        write: Writes contents away from the event loop; for each its address and size, or the error that it met.
        pace_s: How far apart trips begin while there is company.
    """

    def __init__(
        self, write: Callable[[Sequence[list[bytes]]], Awaitable[Sequence[Kept | OSError]]], *, pace_s: float = PACE_S
    ) -> None:
        self._write = write
        self._company = Company(pace_s)
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, chunks: list[bytes]) -> Kept:
        """Have a content written; it is written even when its caller is cancelled meanwhile.

        Raises:
            OSError: It could not be; this is nobody else's error.
        """
        waiting = _Waiting(chunks, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None:
            self._task = apart(self._run(), name="media-puts")
        return await waiting.kept

    async def drain(self) -> None:
        """Return when everything that came is written."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                self._company.begin()
                await self._carry_out(batch)
                await self._company.gather(is_alone=len(batch) == 1 and not self._waiting)
        finally:
            self._task = None

    async def _carry_out(self, batch: Sequence[_Waiting]) -> None:
        outcomes: Sequence[Kept | Exception]
        try:
            outcomes = await self._write([one.chunks for one in batch])
        except Exception as error:  # noqa: BLE001 - it is handed to whoever waits
            outcomes = [error] * len(batch)
        for one, outcome in zip(batch, outcomes, strict=True):
            if one.kept.done():
                continue
            if isinstance(outcome, Exception):
                one.kept.set_exception(outcome)
            else:
                one.kept.set_result(outcome)
