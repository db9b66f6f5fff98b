"""An event loop on which time passes only while everybody waits, and then at once.

Sleeps, time-outs and the clock agree, so code that waits for hours is tested in milliseconds and always alike.
"""

import asyncio
import selectors
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flow2api.testing.fakes.clock import START

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

    from flow2api.domain.ports.system import Clock

_STUCK_AFTER_S = 10.0
"""Real seconds; a thread on a busy machine may need some of them."""
_LONGEST_TEST_S = 30 * 24 * 3600.0


class _JumpingSelector(selectors.BaseSelector):
    """Waits for files as any selector does, but lets the time of timers pass without waiting."""

    def __init__(self) -> None:
        self._inner = selectors.DefaultSelector()
        self.elapsed = 0.0

    def register(self, fileobj: "FileDescriptorLike", events: int, data: object = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: "FileDescriptorLike") -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = self._inner.select(0)
        if found or timeout == 0.0:
            return found
        if timeout is not None:
            self.elapsed += max(timeout, 0.0)
            if self.elapsed > _LONGEST_TEST_S:
                raise RuntimeError("A month has passed: what is waited for does not come.")
            return found
        found = self._inner.select(_STUCK_AFTER_S)
        if not found:
            raise RuntimeError("Everybody waits for somebody else: no task can go on, and no timer will ring.")
        return found

    def close(self) -> None:
        self._inner.close()

    def get_map(self) -> "Mapping[FileDescriptorLike, selectors.SelectorKey]":
        return self._inner.get_map()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer when nothing else is to be done."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.elapsed


class VirtualClock:
    """The time of the running loop as a clock."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def settle(turns: int = 50) -> None:
    """Let everything happen that needs no time."""
    for _ in range(turns):
        await asyncio.sleep(0)


if TYPE_CHECKING:
    _: Clock = VirtualClock()
