"""What is measured, as processes on the loopback: the simulated upstream, the gateway, the apps that it is compared with."""

import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from client import request_bytes
from process_costs import cpu_ms

from tests.e2e.processes import Gateway, Process, Simulator, free_port

HERE = Path(__file__).parent
PROMPT = "A lighthouse on a cliff at dusk, long exposure, the beam just above the horizon"
MODEL = "gemini-3.0-pro-image-square"
ANSWERS_WITHIN_S = 30.0
WARM_WITHIN_S = 300.0

QUICK: dict[str, Any] = {"picture_s": 0.0, "media": "small", "record_limit": 1000}
GATEWAY = {
    "FLOW2API_LOG_LEVEL": "info",
    "FLOW2API_LEASE_S": "45",
    "FLOW2API_OPTIONS__POLL_INTERVAL_S": "3",
    "FLOW2API_OPTIONS__RENEWALS_PER_S": "2000",
    "FLOW2API_OPTIONS__RENEWALS_AT_ONCE": "16",
}


def players(count: int) -> list[dict[str, Any]]:
    """Knobs of this many simulated accounts that never run out of credits."""
    return [{"tier": "PAYGATE_TIER_TWO", "credits": 100_000_000} for _ in range(count)]


def simulator(folder: Path, accounts: int, **options: Any) -> Simulator:
    """The simulated upstream, to be entered."""
    folder.mkdir(parents=True, exist_ok=True)
    return Simulator(folder, {**QUICK, **options}, players(accounts))


def counters(upstream: Simulator) -> dict[str, Any]:
    """The simulator's sums of what it was asked."""
    with urllib.request.urlopen(f"{upstream.ready['base_url']}/_sim/counters", timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@contextmanager
def gateway(folder: Path, upstream: Simulator, environment: Mapping[str, str] | None = None) -> Iterator[Gateway]:
    """The gateway with every account of the simulator imported and warmed."""
    folder.mkdir(parents=True, exist_ok=True)
    accounts = len(upstream.ready["accounts"])
    before = counters(upstream)["calls"].get("create_project", 0)
    # As the command, for a fork shares its modules with others: neither its start nor its memory would be its own.
    with Gateway(folder, upstream, environment={**GATEWAY, **(environment or {})}, as_command=True) as running:
        deadline = time.monotonic() + WARM_WITHIN_S
        while counters(upstream)["calls"].get("create_project", 0) - before < accounts:
            if time.monotonic() > deadline:
                running.fail("the accounts were not warmed in time")
            time.sleep(0.2)
        settle(pid_of(running))
        yield running


@contextmanager
def served(script: str, folder: Path, *arguments: str, path: str = "/v1/models") -> Iterator[tuple[str, Process]]:
    """One of the apps beside this file on a free port: its address and its process."""
    port = free_port()
    running = Process([sys.executable, str(HERE / script), str(port), *arguments], folder / f"{script}.log")
    running.start()
    try:
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2)
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if time.monotonic() > deadline:
                    running.fail(f"{script} did not answer in time")
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", running
    finally:
        running.stop()


def settle(pid: int, *, quiet_s: float = 1.0, limit_s: float = 60.0) -> None:
    """Wait until the process has nothing left to do."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        before = cpu_ms(pid)
        time.sleep(quiet_s)
        if cpu_ms(pid) - before <= 20 * quiet_s:
            return


def pid_of(process: Process) -> int:
    """The id of a running process."""
    assert process.child is not None
    return process.child.pid


def picture_request(base_url: str, key: str, *, stream: bool) -> bytes:
    """A picture as most clients ask for it."""
    document = {"model": MODEL, "prompt": PROMPT, "stream": stream}
    return request_bytes(
        "POST", f"{base_url}/v1/images/generations", headers={"authorization": f"Bearer {key}"}, document=document
    )


def machine() -> str:
    """One line on what the figures were measured with."""
    name = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    version = ".".join(str(part) for part in sys.version_info[:3])
    where = f"{os.cpu_count()} cores of {name}, Python {version}, load {os.getloadavg()[0]:.1f}"
    return f"{where}, a new file costs {new_file_ms():.2f} CPU-ms"


def new_file_ms(count: int = 500) -> float:
    """CPU milliseconds that the file system of the temporary folder takes to make a file.

    It is a hundredth, and thirty times as much on an ext4 without a journal where many files were deleted in the last
    minutes: the figures of a picture then tell of the machine.
    """
    with tempfile.TemporaryDirectory(prefix="flow2api-bench-") as folder:
        before = time.process_time()
        for number in range(count):
            os.close(os.open(f"{folder}/{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return (time.process_time() - before) * 1000 / count
