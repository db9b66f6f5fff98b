"""Large bodies, which are put together and taken apart by threads."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LARGE_BYTES = 256 * 1024
"""From here on such work takes the time of many requests."""


async def in_turn(work: Callable[[], T], size_bytes: int) -> T:
    """What some work on a body of this size comes to; that on a large one is done by a thread."""
    return work() if size_bytes < LARGE_BYTES else await asyncio.to_thread(work)


async def read(reader: Callable[[bytes], T], body: bytes) -> T:
    """What a reader makes of a body."""
    return await in_turn(lambda: reader(body), len(body))
