"""Bodies that arrive in time, or not at all."""

import asyncio
from typing import Any

from litestar.exceptions import HTTPException
from litestar.types import Receive

READ_TIMEOUT_S = 30.0
LEAST_BYTES_PER_S = 64 * 1024


def in_time(receive: Receive, read_timeout_s: float = READ_TIMEOUT_S) -> Receive:
    """Receive the body of one request, as long as its sender keeps a pace; else 408 is raised.

    Only waiting counts, not what is done with the parts that have come. The sender may be this long behind
    `LEAST_BYTES_PER_S` at any time.
    """
    left_s = read_timeout_s
    is_whole = False

    async def receive_in_time() -> Any:
        nonlocal left_s, is_whole
        if is_whole:
            return await receive()
        now = asyncio.get_running_loop().time
        began = now()
        try:
            async with asyncio.timeout(left_s):
                message: Any = await receive()
        except TimeoutError as cause:
            detail = "The body arrived too slowly and was given up; send it faster."
            raise HTTPException(detail=detail, status_code=408, extra={"code": "body_too_slow"}) from cause
        earned_s = len(message.get("body", b"")) / LEAST_BYTES_PER_S
        left_s = min(left_s - (now() - began) + earned_s, read_timeout_s)
        is_whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return receive_in_time
