"""Commands as processes of their own, beside a running server."""

import contextlib
import json
import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.e2e.with_parent import tied

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Shell:
    """Runs ``python -m flow2api`` in a folder of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOW2API_")}
        return kept | {"PYTHONPATH": str(ROOT), "FLOW2API_DATA_DIR": str(self.folder / "data")}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "flow2api", *arguments]

    def __call__(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            cwd=self.folder,
            env=self.environment | settings,
            timeout=100,
        )

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def server(shell: Shell) -> Iterator[str]:
    """A server on the loopback whose upstream is nobody; the address that it listens on."""
    nobody = {
        "FLOW2API_FLOW__LABS_BASE_URL": "http://127.0.0.1:9/fx/api",
        "FLOW2API_FLOW__API_BASE_URL": "http://127.0.0.1:9/v1",
        "FLOW2API_LINGER_S": "0",
    }
    log = shell.folder / "server.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            tied(shell.command("serve", "--port", "0")), cwd=shell.folder, env=shell.environment | nobody, stderr=stderr
        )
    try:
        yield wait_for_address(log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if "serves on " in line:
                return line.rpartition("serves on ")[2].strip()
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def status_of(address: str, key: str) -> int:
    request = Request(f"{address}/v1/models", headers={"authorization": f"Bearer {key}"})
    try:
        with urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        with contextlib.closing(error):
            return int(error.code)


def test_commands_work_beside_a_running_server(shell: Shell, server: str) -> None:
    key = shell.json("keys", "create", "--name", "laptop")["key"]
    assert status_of(server, key) == 200, "a new key opens at once"

    assert shell.json("doctor")["ok"] is True
    assert shell.json("db", "backup", "copy.db")["size_bytes"] == (shell.folder / "copy.db").stat().st_size
    refused = shell("db", "restore", "copy.db", "--yes")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"stop the server" in refused.stderr
    assert status_of(server, key) == 200

    shell.json("keys", "revoke", "laptop")
    deadline = time.monotonic() + 30
    while (status := status_of(server, key)) == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status == 401, "the server learns of it by itself"


def spent_by_children_s() -> float:
    """Processor time of children that have ended; unlike the time of day it does not depend on what else runs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_ten_thousand_accounts_are_imported_in_under_twenty_seconds(shell: Shell) -> None:
    rows = [
        {"email": f"p{number}@example.com", "session_token": "eyJ" + secrets.token_urlsafe(780), "is_active": False}
        for number in range(10_000)
    ]
    (shell.folder / "in.json").write_text(json.dumps({"tokens": rows}))

    began = spent_by_children_s()
    report = shell.json("accounts", "import", "in.json")
    took = spent_by_children_s() - began

    assert report == {"added": 10_000, "updated": 0, "unchanged": 0, "errors": []}
    assert took < 20


def test_output_that_nobody_reads_to_its_end_is_no_crash(shell: Shell) -> None:
    with subprocess.Popen(
        shell.command("models", "--json"),
        cwd=shell.folder,
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        told = process.stderr.read()

    assert b"Traceback" not in told


def test_terminal_without_a_character_shows_its_number(shell: Shell) -> None:
    told = shell("models", "東京", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")

    assert told.returncode == 1
    assert rb"The model '\u6771\u4eac' does not exist." in told.stderr
