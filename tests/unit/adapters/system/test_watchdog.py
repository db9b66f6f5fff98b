"""The event loop is watched from outside, and what holds it up is named."""

import asyncio
import time
from types import ModuleType
from typing import Any

import pytest
from structlog.testing import capture_logs

from flow2api.adapters.system.watchdog import EventLoopWatchdog

HELD_S = 0.04
BLOCKING = """
import time

def select(until):
    while time.monotonic() < until():
        time.sleep(0.002)
"""


@pytest.fixture
def plugin() -> ModuleType:
    """The code of a plugin that blocks."""
    module = ModuleType("slow_plugin.policy")
    exec(compile(BLOCKING, "slow_plugin/policy.py", "exec"), module.__dict__)
    return module


async def told_while(block: Any, held_s: float = HELD_S) -> list[Any]:
    """What the watchdog says until the loop runs again; a busy machine may hold it up once more."""
    watchdog = EventLoopWatchdog({"slow_plugin": "slow", "slow": "another"}, held_s=held_s)
    with capture_logs() as logs:
        watchdog.start()
        try:
            await asyncio.sleep(0)
            block(logs)
            await asyncio.sleep(2.5 * HELD_S)
            async with asyncio.timeout(20):
                while logs and logs[-1]["event"] != "event loop runs again":
                    await asyncio.sleep(0.001)
        finally:
            watchdog.stop()
    return logs


def until_told(logs: list[Any], most_s: float = 10.0) -> Any:
    """A moment that lies ahead until the watchdog has spoken."""
    began = time.monotonic()
    return lambda: began + most_s if not logs and time.monotonic() < began + most_s else 0.0


async def test_plugin_that_blocks_is_named_with_its_line(plugin: ModuleType) -> None:
    logs = await told_while(lambda logs: plugin.select(until_told(logs)))

    assert (logs[0]["event"], logs[0]["plugin"]) == ("event loop is held up", "slow")
    assert any(line.startswith("slow_plugin/policy.py:") and line.endswith(" select") for line in logs[0]["stack"])
    assert [one["event"] for one in logs[:2]] == ["event loop is held up", "event loop runs again"]
    assert logs[1]["held_s"] >= HELD_S / 2


async def test_what_is_no_plugins_is_told_without_one() -> None:
    def block(logs: list[Any]) -> None:
        until = until_told(logs)
        while time.monotonic() < until():
            time.sleep(0.002)

    logs = await told_while(block)

    assert (logs[0]["plugin"], logs[0]["event"]) == (None, "event loop is held up")


async def test_loop_that_waits_is_not_held_up() -> None:
    assert await told_while(lambda logs: None, held_s=2.0) == []
