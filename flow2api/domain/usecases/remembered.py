"""Answers that many ask for within a moment, made once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from flow2api.domain.ports.system import Clock

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

FRESH_S = 1.0
_SHARE = 50
_MOST = 64
"""What took so long to make is used so many times as long, so that asking all the time costs 2 % at most."""


class Remembered(Generic[K, T]):
    """Gives an answer out again while it is fresh.

    Args:
        make: Makes the answer to a question.
        fresh_s: How long an answer is good at least.
    """

    def __init__(self, make: Callable[[K], Awaitable[T]], clock: Clock, *, fresh_s: float = FRESH_S) -> None:
        self._make = make
        self._clock = clock
        self._fresh_s = fresh_s
        self._answers: dict[K, tuple[float, T]] = {}
        self._being_made: dict[K, asyncio.Task[T]] = {}

    async def __call__(self, question: K) -> T:
        """The answer; who asks while it is made waits for the same one. What making it raises is not kept."""
        known = self._answers.get(question)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        making = self._being_made.get(question)
        if making is None:
            making = self._being_made[question] = asyncio.create_task(self._made(question))
            making.add_done_callback(lambda _: self._being_made.pop(question, None))
        return await asyncio.shield(making)

    async def _made(self, question: K) -> T:
        began = self._clock.monotonic()
        answer = await self._make(question)
        ended = self._clock.monotonic()
        self._answers.pop(question, None)
        self._answers[question] = (ended + self._fresh_s + _SHARE * (ended - began), answer)
        while len(self._answers) > _MOST:
            del self._answers[next(iter(self._answers))]
        return answer
