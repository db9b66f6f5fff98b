"""An event loop whose time jumps ahead when nothing is to be done, and for which databases and disks take no time at all."""

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
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


def run(main: Callable[[], Coroutine[Any, Any, T]], seed: int = 7) -> T:
    """Run a coroutine function from beginning to end in virtual time, with the same chance each time."""
    with asyncio.Runner(loop_factory=WeekLoop) as runner, _same_chance(seed):
        return runner.run(main())


@contextmanager
def _same_chance(seed: int) -> Iterator[None]:
    """Whatever draws by chance inside the block draws the same each time: a proof of a day is none of its luck."""
    seeds, before, seeded = count(seed), random.getstate(), random.Random.seed

    def seed_in_turn(self: random.Random, a: Any = None, version: int = 2) -> None:
        seeded(self, next(seeds) if a is None else a, version)

    random.seed(seed)
    random.Random.seed = seed_in_turn  # type: ignore[method-assign]
    try:
        yield
    finally:
        random.Random.seed = seeded  # type: ignore[method-assign]
        random.setstate(before)


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
