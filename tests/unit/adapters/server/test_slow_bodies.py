"""Bodies that arrive too slowly are given up; whoever keeps the pace may send for long."""

import asyncio
from typing import Any

import pytest
from litestar.exceptions import HTTPException

from flow2api.adapters.server.slow_bodies import LEAST_BYTES_PER_S, READ_TIMEOUT_S, in_time


async def received(receive: Any, read_timeout_s: float, pause_s: float = 0.0) -> int:
    """How many parts come until the body is whole."""
    timely, parts = in_time(receive, read_timeout_s), 1
    while (await timely()).get("more_body"):
        parts += 1
        await asyncio.sleep(pause_s)
    return parts


async def test_body_that_drips_is_given_up_as_a_whole() -> None:
    async def drip() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(HTTPException) as error:
        await received(drip, 0.05)
    assert error.value.status_code == 408


async def test_body_that_keeps_its_pace_may_take_long_and_its_reader_longer() -> None:
    left = 20

    async def steady() -> Any:
        nonlocal left
        left -= 1
        await asyncio.sleep(0.01)  # within the pace, and 0.2 s in all
        return {"type": "http.request", "body": b"x" * LEAST_BYTES_PER_S, "more_body": bool(left)}

    assert await received(steady, 0.1, pause_s=0.01) == 20  # what is done with a part is not the sender's time


async def test_who_has_sent_all_is_waited_for_without_end() -> None:
    messages = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

    async def then_silent() -> Any:
        if len(messages) == 1:
            await asyncio.sleep(0.05)
        return messages.pop(0)

    timely = in_time(then_silent, 0.01)
    assert (await timely())["type"] == "http.request"
    assert (await timely())["type"] == "http.disconnect"


def test_nobody_is_waited_for_longer_than_half_a_minute() -> None:
    assert READ_TIMEOUT_S == 30
