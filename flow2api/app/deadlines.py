"""Deadlines for what plugins run: an object that does not answer fails its caller, and nobody waits for ever."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast

from flow2api.domain.errors import CoordinationError, Flow2ApiError, StorageError, UpstreamTimeoutError

T = TypeVar("T")

GIVEN_UP_AFTER_S = 5.0
"""How long a call may take to come to its end once it is cancelled."""

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
    CoordinationError, 2.0, {"take": 30.0, "give_back": 10.0, "refund": 10.0, "aclose": 10.0, "listen": None}
)  # nobody waits so long for a slot: one that comes late is given back
UPSTREAM = Deadlines(UpstreamTimeoutError, 120.0, {"produce": None, "submit": None})  # the options limit these


def with_deadlines(target: T, plugin: str, deadlines: Deadlines) -> T:
    """An object that does the same, but ends each asynchronous call in time.

    It has exactly the public attributes that the target has now, so that whoever asks for an ability by ``isinstance`` gets the
    same answer. What it holds that has methods of its own, such as the repositories of a storage, is held to time as well.
    """
    return _held(target, plugin, deadlines, {})


def _held(target: T, plugin: str, deadlines: Deadlines, met: dict[int, Any]) -> T:
    kind = type(f"{type(target).__name__}InTime", (), {"__repr__": lambda self: f"<{target!r} with deadlines>"})
    held = met[id(target)] = kind()  # before its members, which may lead back to it
    for name in dir(target):
        if not name.startswith("_"):
            what = f"plugin {plugin!r}, {type(target).__name__}"
            setattr(kind, name, _member(target, name, what, deadlines, plugin, met))
    return cast("T", held)


def _member(target: object, name: str, what: str, deadlines: Deadlines, plugin: str, met: dict[int, Any]) -> Any:
    try:
        value = getattr(target, name)
    except Exception:  # noqa: BLE001 - it may be there later, once the target is open say
        value = None
    if isinstance(value, _PLAIN):
        return property(lambda self: getattr(target, name))
    if not callable(value):
        # Not before it is asked for: what it holds may lead on without end, as a path does.
        held = cache(lambda: met.get(id(value)) or _held(value, plugin, deadlines, met))
        return property(lambda self: held())
    limit_s = deadlines.of(name)

    def call(*args: Any, **kwargs: Any) -> Any:
        answer = value(*args, **kwargs)
        if inspect.isawaitable(answer):
            return _in_time(answer, limit_s, f"{what}.{name}", deadlines)
        if isinstance(answer, AsyncIterator) and limit_s is not None:
            return _each_in_time(answer, limit_s, f"{what}.{name}", deadlines)
        return answer

    return staticmethod(call)


async def _in_time(answer: Awaitable[T], limit_s: float | None, what: str, deadlines: Deadlines) -> T:
    """The answer, of a task of its own: one that holds on to its life in spite of being cancelled can be given up."""
    task = asyncio.ensure_future(_kept_in(answer, what, deadlines))
    try:
        done, _ = await asyncio.wait({task}, timeout=limit_s)
    except asyncio.CancelledError:
        await _give_up(task)
        raise
    if done:
        return task.result()
    await _give_up(task)
    raise deadlines.error(f"The {what} gave no answer within {limit_s:g} s.")


async def _kept_in(answer: Awaitable[T], what: str, deadlines: Deadlines) -> T:
    try:
        return await answer
    except SystemExit as error:
        raise deadlines.error(f"The {what} tried to end the program.") from error


async def _give_up(task: "asyncio.Future[T]") -> None:
    task.cancel()
    task.add_done_callback(_hear)
    await asyncio.wait({task}, timeout=GIVEN_UP_AFTER_S)


def _hear(task: "asyncio.Future[T]") -> None:
    """Nobody else asks any more what came of it."""
    if not task.cancelled():
        task.exception()


async def _next_in_time(items: AsyncIterator[T], limit_s: float, what: str, deadlines: Deadlines) -> T:
    # In the task of who asks: what an iterator begins for one item it may end for another, in the same task.
    limit = asyncio.timeout(limit_s)
    try:
        async with limit:
            return await anext(items)
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
                item = await _next_in_time(items, limit_s, what, deadlines)
            except StopAsyncIteration:
                return
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()
