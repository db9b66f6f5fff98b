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
        missing = -len(left) % 3
        head, rest = left + chunk[:missing], memoryview(chunk)[missing:]
        if len(head) % 3:
            left = head
            continue
        if head:
            yield binascii.b2a_base64(head, newline=False)
        whole = len(rest) - len(rest) % 3
        for start in range(0, whole, _SLICE):
            if start:
                await asyncio.sleep(0)
            yield binascii.b2a_base64(rest[start : min(start + _SLICE, whole)], newline=False)
        left = bytes(rest[whole:])
    if left:
        yield binascii.b2a_base64(left, newline=False)
