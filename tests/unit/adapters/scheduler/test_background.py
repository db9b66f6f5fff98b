"""Loops: one that fails begins again, later each time, and disturbs no other."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from flow2api.adapters.scheduler import Background
from flow2api.testing.fakes.virtual_time import VirtualTimeLoop


def test_failing_loop_is_begun_again_later_each_time_and_the_others_go_on() -> None:
    begun, steady = list[float](), list[float]()

    async def failing() -> None:
        begun.append(asyncio.get_running_loop().time())
        raise ZeroDivisionError

    async def going_on() -> None:
        while True:
            steady.append(asyncio.get_running_loop().time())
            await asyncio.sleep(1)

    async def run() -> None:
        background = Background({"failing": failing, "steady": going_on})
        background.start()
        await asyncio.sleep(600)
        await background.stop()
        count = len(steady)
        await asyncio.sleep(10)
        assert len(steady) == count

    with capture_logs() as logs, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())
    pauses = [later - earlier for earlier, later in pairwise(begun)]
    assert pauses[:8] == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60])
    assert len(steady) >= 600
    assert {entry["loop"] for entry in logs} == {"failing"}
    assert logs[0]["again_in_s"] == 1.0


def test_stopping_waits_until_loops_have_cleaned_up() -> None:
    cleaned = []

    async def slow_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(5)
            cleaned.append(True)

    async def run(loops: Mapping[str, Callable[[], object]]) -> None:
        background = Background(loops)  # type: ignore[arg-type]
        await background.stop()
        background.start()
        await asyncio.sleep(1)
        await background.stop()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run({"one": slow_to_end, "other": slow_to_end}))
    assert cleaned == [True, True]
