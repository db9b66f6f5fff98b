"""Base64 of pictures, made piece by piece: neither memory nor the event loop feels a large one."""

import asyncio
import binascii
from collections.abc import AsyncIterator

_SLICE = 768 * 1024  # a multiple of three, encoded in about a millisecond


def base64_length(size_bytes: int) -> int:
    """How many characters ``size_bytes`` become, padding included."""
    return 4 * ((size_bytes + 2) // 3)


async def base64_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks as one run of base64, whatever their sizes."""
    left = b""
    async for chunk in chunks:
        data = left + chunk if left else chunk
        whole = len(data) - len(data) % 3
        for start in range(0, whole, _SLICE):
            if start:
                await asyncio.sleep(0)
            yield binascii.b2a_base64(data[start : min(start + _SLICE, whole)], newline=False)
        left = data[whole:]
    if left:
        yield binascii.b2a_base64(left, newline=False)
