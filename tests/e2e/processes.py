"""The server and the simulated upstream as processes of their own, as an operator would run them."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.command_line import CommandLine, Ran
from tests.e2e.nursery import Child, Nursery
from tests.e2e.with_parent import tied

STARTS_WITHIN_S = 60.0
STOPS_WITHIN_S = 30.0

_KEPT_FREE: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on, and that nobody else is given as long as this process runs.

    It stays bound: the system hands such a port to nobody who takes any, and lets servers that ask for this one listen.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    _KEPT_FREE.append(keeper)
    return int(keeper.getsockname()[1])


@atexit.register
def _let_ports_go() -> None:
    for keeper in _KEPT_FREE:
        keeper.close()


class Process:
    """A child process with its output in a file; it ends with the block, or with the thread that started it."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = command
        self.log = log
        self.environment = {**os.environ, **(environment or {})}
        # Compiling every module anew costs each child two seconds.
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.child: subprocess.Popen[bytes] | Child | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(
                tied(self.command),
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)

    def wait(self, within_s: float = STOPS_WITHIN_S) -> int:
        assert self.child is not None
        return self.child.wait(timeout=within_s)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()

    def stop(self) -> int:
        """End it in order; the exit code."""
        if self.child is None:
            return 0
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(timeout=STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.wait()

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def fail(self, why: str) -> None:
        self.kill()
        raise AssertionError(f"{why}\n{self.output()[-4000:]}")


class Simulator(Process):
    """The simulated upstream; its address and first accounts are known once the block is entered."""

    def __init__(self, folder: Path, options: Mapping[str, Any], accounts: list[dict[str, Any]]) -> None:
        self.ready_file = folder / "simulator.json"
        options_file, accounts_file = folder / "options.json", folder / "accounts.json"
        options_file.write_text(json.dumps(options))
        accounts_file.write_text(json.dumps(accounts))
        command = [sys.executable, "-m", "flow2api.simulator", "--port", "0", "--with-parent"]
        command += [
            "--ready-file",
            str(self.ready_file),
            "--options",
            str(options_file),
            "--accounts",
            str(accounts_file),
        ]
        super().__init__(command, folder / "simulator.log")
        self.ready: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.start()
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not self.ready_file.exists():
            if time.monotonic() > deadline or (self.child is not None and self.child.poll() is not None):
                self.fail("the simulator did not start")
            time.sleep(0.02)
        self.ready = json.loads(self.ready_file.read_text())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Gateway(Process):
    """The server on a data folder of its own, with the accounts of a simulator and a key made by the command line.

    Args:
        image_slots: How many pictures each account makes at once; None is no limit.
        video_slots: The same for videos.
        as_command: Started as the command, with all that reading its modules costs; else forked where that is possible.
    """

    def __init__(
        self,
        folder: Path,
        simulator: Simulator,
        *,
        era: str = "2026-06",
        environment: Mapping[str, str] | None = None,
        image_slots: int | None = None,
        video_slots: int | None = None,
        as_command: bool = False,
    ) -> None:
        self.is_forked = sys.platform == "linux" and not as_command
        self.port = free_port()
        self.folder = folder
        settings = {
            "FLOW2API_DATA_DIR": str(folder / "data"),
            "FLOW2API_PORT": str(self.port),
            "FLOW2API_FLOW__LABS_BASE_URL": simulator.ready["labs_base_url"],
            "FLOW2API_FLOW__API_BASE_URL": simulator.ready["api_base_url"],
            "FLOW2API_FLOW__ERA": era,
            "FLOW2API_LOG_FORMAT": "json",
            "FLOW2API_LINGER_S": "0",
            "FLOW2API_DRAIN_S": "5",
            "FLOW2API_LEASE_S": "2",
            "FLOW2API_OPTIONS__POLL_INTERVAL_S": "0.1",
            **(environment or {}),
        }
        super().__init__([sys.executable, "-m", "flow2api", "serve"], folder / "gateway.log", settings)
        self.simulator = simulator
        slots = {"image_concurrency": image_slots, "video_concurrency": video_slots}
        self.slots = {name: count for name, count in slots.items() if count is not None}
        self.key = ""

    def start(self) -> None:
        if self.is_forked:
            self.child = Nursery.of_this_process().start(self.command[3:], self.environment, self.log)
        else:
            super().start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ran(self, *arguments: str) -> Ran:
        """How a command ends. It runs in this process, which saves most of its time; what it raises is raised here."""
        with ThreadPoolExecutor(1) as thread:  # a command has an event loop of its own
            return thread.submit(CommandLine(self.environment), *arguments).result()

    def run(self, *arguments: str) -> str:
        """What a command prints that has to succeed."""
        ran = self.ran(*arguments)
        assert ran.code == 0, f"{arguments}: {ran.out}{ran.err}"
        return ran.out

    def add_accounts(self, accounts: list[dict[str, Any]]) -> None:
        rows = [
            {"session_token": one["session_token"], "email": one.get("email") or None, **self.slots} for one in accounts
        ]
        file = self.folder / "import.json"
        file.write_text(json.dumps({"tokens": rows}))
        self.run("accounts", "import", str(file))

    def make_key(self, name: str = "tests") -> str:
        return str(json.loads(self.run("keys", "create", "--name", name, "--json"))["key"])

    def __enter__(self) -> Self:
        # With their addresses: the server is ready before it has stored what a first exchange tells of them.
        self.add_accounts([{**one, "email": one["knobs"]["email"]} for one in self.simulator.ready["accounts"]])
        self.key = self.make_key()
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            if self.child is not None and self.child.poll() is not None:
                self.fail("the server ended before it was ready")
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            if time.monotonic() > deadline:
                self.fail("the server was not ready in time")
            time.sleep(0.05)

    def wait_until_warm(self) -> None:
        """Until every account has been looked after; whoever is not yet serves nothing."""
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not all(one["is_warm"] for one in json.loads(self.run("accounts", "list", "--json"))["accounts"]):
            if time.monotonic() > deadline:
                self.fail("the accounts were not looked after in time")
            time.sleep(0.1)
