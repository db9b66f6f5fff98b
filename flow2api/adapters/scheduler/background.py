"""Loops that run as long as the server does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0


class Background:
    """Runs named loops side by side. One that fails is logged and begun again, later each time; the others go on."""

    def __init__(self, loops: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        self._loops = loops
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin all loops."""
        self._task = asyncio.create_task(self._run(), name="background")

    async def stop(self) -> None:
        """End all loops and wait until they have."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for name, loop in self._loops.items():
                group.create_task(self._again_and_again(name, loop), name=name)

    async def _again_and_again(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await loop()
            except Exception:
                log.exception("background loop failed", loop=name, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
