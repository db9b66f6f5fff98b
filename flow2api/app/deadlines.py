"""Deadlines for what plugins run: an object that does not answer fails its caller, and nobody waits for ever."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast

from flow2api.domain.errors import CoordinationError, Flow2ApiError, StorageError, UpstreamTimeoutError

T = TypeVar("T")

_PLAIN = (str, bytes, int, float, bool, tuple, frozenset, type(None))


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each call may take.

    Attributes:
        error: What a call ends with that took longer; it gets the sentence.
        usual_s: For calls that are not named, and for each item of what comes piece by piece.
        by_name: For calls that take longer, or, with None, for those that others limit.
    """

    error: Callable[[str], Flow2ApiError]
    usual_s: float
    by_name: Mapping[str, float | None] = field(default_factory=dict)

    def of(self, call: str) -> float | None:
        """The seconds for a call; None for no limit of ours."""
        return self.by_name.get(call, self.usual_s)


STORAGE = Deadlines(StorageError, 60.0, {"open": 600.0, "examine": 600.0, "back_up": 3600.0, "restore": 3600.0})
MEDIA_STORE = Deadlines(StorageError, 60.0, {"put": 3600.0})  # it takes as long as the bytes take to come
COORDINATION = Deadlines(
    CoordinationError, 2.0, {"take": 30.0, "give_back": 10.0, "aclose": 10.0, "listen": None}
)  # nobody waits so long for a slot: one that comes late is given back
UPSTREAM = Deadlines(UpstreamTimeoutError, 120.0, {"produce": None, "submit": None})  # the options limit these


def with_deadlines(target: T, plugin: str, deadlines: Deadlines) -> T:
    """An object that does the same, but ends each asynchronous call in time.

    It has exactly the public attributes that the target has now, so that whoever asks for an ability by ``isinstance`` gets the
    same answer. What it holds that has methods of its own, such as the repositories of a storage, is held to time as well.
    """
    members: dict[str, Any] = {"__slots__": (), "__repr__": lambda self: f"<{target!r} with deadlines>"}
    for name in dir(target):
        if not name.startswith("_"):
            members[name] = _member(target, name, f"plugin {plugin!r}, {type(target).__name__}", deadlines, plugin)
    return cast("T", type(f"{type(target).__name__}InTime", (), members)())


def _member(target: object, name: str, what: str, deadlines: Deadlines, plugin: str) -> Any:
    value = getattr(target, name)
    if isinstance(value, _PLAIN):
        return property(lambda self: getattr(target, name))
    if not callable(value):
        # Not before it is asked for: what it holds may hold it in turn, or lead on without end as a path does.
        held = cache(lambda: with_deadlines(value, plugin, deadlines))
        return property(lambda self: held())
    limit_s = deadlines.of(name)
    if limit_s is None:
        return staticmethod(value)

    def call(*args: Any, **kwargs: Any) -> Any:
        answer = value(*args, **kwargs)
        if inspect.isawaitable(answer):
            return _in_time(answer, limit_s, f"{what}.{name}", deadlines)
        if isinstance(answer, AsyncIterator):
            return _each_in_time(answer, limit_s, f"{what}.{name}", deadlines)
        return answer

    return staticmethod(call)


async def _in_time(answer: Awaitable[T], limit_s: float, what: str, deadlines: Deadlines) -> T:
    limit = asyncio.timeout(limit_s)
    try:
        async with limit:
            return await answer
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise deadlines.error(f"The {what} gave no answer within {limit_s:g} s.") from error


async def _each_in_time(
    items: AsyncIterator[T], limit_s: float, what: str, deadlines: Deadlines
) -> AsyncGenerator[T, None]:
    try:
        while True:
            try:
                item = await _in_time(anext(items), limit_s, what, deadlines)
            except StopAsyncIteration:
                return
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()
