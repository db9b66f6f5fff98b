"""Steps that a cancellation must not cut in the middle."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def uncut(step: Coroutine[Any, Any, T]) -> T:
    """Await a short step to its end; a cancellation that comes meanwhile takes effect right after it.

    A second cancellation is not held up: the step then goes on by itself.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen: who asked for the end does not want the result either
        raise
