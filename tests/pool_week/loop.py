"""An event loop whose time jumps ahead when nothing is to be done, and for which databases and disks take no time at all."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    from flow2api.domain.ports.system import Clock

T = TypeVar("T")


class WeekLoop(VirtualTimeLoop):
    """Virtual time, and what is meant for threads is done in between: time cannot run ahead of a thread that there isn't."""

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        outcome: asyncio.Future[T] = self.create_future()
        context = contextvars.copy_context()
        # Not at once: whoever else is ready comes first, as with a thread.
        self.call_soon(_carry_out, outcome, lambda: context.run(func, *args))
        return outcome


class WeekClock:
    """The time of a loop as a clock, which code can read that is no task."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function from beginning to end in virtual time."""
    with asyncio.Runner(loop_factory=WeekLoop) as runner:
        return runner.run(main())


def _carry_out(outcome: "asyncio.Future[T]", work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:
        if not outcome.cancelled():
            outcome.set_exception(error)
        return
    if not outcome.cancelled():
        outcome.set_result(result)


if TYPE_CHECKING:

    def _fits(clock: WeekClock) -> Clock:
        return clock
