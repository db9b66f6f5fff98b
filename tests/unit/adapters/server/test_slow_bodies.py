"""Bodies that arrive too slowly are given up; whoever keeps the pace may send for long."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from litestar.exceptions import HTTPException

from flow2api.adapters.server.slow_bodies import LEAST_BYTES_PER_S, READ_TIMEOUT_S, in_time
from flow2api.testing.fakes.virtual_time import VirtualTimeLoop

T = TypeVar("T")


def in_virtual_time(waiting: Coroutine[Any, Any, T]) -> T:
    """What comes of it, on a loop that no busy machine can hold up."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(waiting)


async def received(receive: Any, read_timeout_s: float, pause_s: float = 0.0) -> int:
    """How many parts come until the body is whole."""
    timely, parts = in_time(receive, read_timeout_s), 1
    while (await timely()).get("more_body"):
        parts += 1
        await asyncio.sleep(pause_s)
    return parts


def test_body_that_drips_is_given_up_as_a_whole() -> None:
    async def drip() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(HTTPException) as error:
        in_virtual_time(received(drip, 0.05))
    assert error.value.status_code == 408


def test_body_that_keeps_its_pace_may_take_long_and_its_reader_longer() -> None:
    left = 20

    async def steady() -> Any:
        nonlocal left
        left -= 1
        await asyncio.sleep(0.01)  # within the pace, and 0.2 s in all
        return {"type": "http.request", "body": b"x" * LEAST_BYTES_PER_S, "more_body": bool(left)}

    assert (
        in_virtual_time(received(steady, 0.1, pause_s=0.01)) == 20
    )  # what is done with a part is not the sender's time


def test_who_has_sent_all_is_waited_for_without_end() -> None:
    messages = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

    async def then_silent() -> Any:
        if len(messages) == 1:
            await asyncio.sleep(0.05)
        return messages.pop(0)

    timely = in_time(then_silent, 0.01)

    async def both() -> list[str]:
        return [(await timely())["type"], (await timely())["type"]]

    assert in_virtual_time(both()) == ["http.request", "http.disconnect"]


def test_nobody_is_waited_for_longer_than_half_a_minute() -> None:
    assert READ_TIMEOUT_S == 30
