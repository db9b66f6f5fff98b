"""A demo as a reader starts it, for the pages that begin with one."""

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT
from tests.e2e.processes import STARTS_WITHIN_S, Process

QUICK = {"picture_s": 0.05, "video_s": 0.5, "video_scale": 0.25}
"""The simulator takes its time, as the service does; a test need not."""


@dataclass(frozen=True)
class Demo:
    """Where a running demo is.

    Attributes:
        address: Host and port.
        told: What it has printed.
    """

    base_url: str
    api_key: str
    told: str

    @property
    def address(self) -> str:
        return self.base_url.removeprefix("http://").removesuffix("/v1")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    ready_file = folder / "ready.json"
    command = [sys.executable, "-m", "flow2api", "demo", "--port", "0", "--ready-file", str(ready_file)]
    process = Process(command, folder / "demo.log", {"PYTHONPATH": str(ROOT)})
    process.start()
    try:
        ready = _wait_for(ready_file, process)
        hurry(ready["simulator_url"])
        yield Demo(ready["base_url"], ready["api_key"], process.output())
    finally:
        process.stop()


def _wait_for(ready_file: Path, process: Process) -> dict[str, Any]:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not ready_file.exists():
        if time.monotonic() > deadline or (process.child is not None and process.child.poll() is not None):
            process.fail("the demo did not start")
        time.sleep(0.02)
    ready: dict[str, Any] = json.loads(ready_file.read_text("utf-8"))
    return ready


def hurry(simulator_url: str) -> None:
    """Let a simulator take less time than a reader's."""
    request = urllib.request.Request(f"{simulator_url}/_sim/options", json.dumps(QUICK).encode(), method="PATCH")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
