"""Commands as processes of their own, on a real database, beside a running server."""

import contextlib
import json
import os
import secrets
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Shell:
    """Runs ``python -m flow2api`` in a folder of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOW2API_")}
        return kept | {"PYTHONPATH": str(ROOT), "FLOW2API_DATA_DIR": str(self.folder / "data")}

    def command(self, *arguments: str) -> Sequence[str]:
        return [sys.executable, "-m", "flow2api", *arguments]

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment,
            timeout=60,
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        done = self(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def server(shell: Shell) -> Iterator[str]:
    """A server on the loopback whose upstream is nobody; the address of its API."""
    nobody = {
        "FLOW2API_FLOW__LABS_BASE_URL": "http://127.0.0.1:9/fx/api",
        "FLOW2API_FLOW__API_BASE_URL": "http://127.0.0.1:9/v1",
    }
    environment = shell.environment | nobody | {"FLOW2API_LINGER_S": "0"}
    log = shell.folder / "server.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            shell.command("serve", "--port", "0"), cwd=shell.folder, env=environment, stderr=stderr
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
    deadline = time.monotonic() + 30
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
        with urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        with contextlib.closing(error):
            return int(error.code)


def rows(many: int) -> str:
    return json.dumps(
        {
            "tokens": [
                {
                    "email": f"p{number}@example.com",
                    "session_token": "eyJ" + secrets.token_urlsafe(780),
                    "is_active": False,
                    "image_enabled": True,
                    "video_enabled": number % 2 == 0,
                    "image_concurrency": -1,
                    "video_concurrency": 2,
                }
                for number in range(many)
            ]
        }
    )


def test_first_command_makes_everything_that_is_needed_for_its_owner_alone(shell: Shell) -> None:
    made = shell("keys", "create")

    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("f2a_")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (shell.folder / "data").iterdir()}
    assert modes == {"flow2api.db": 0o600, "secret.key": 0o600}
    assert stat.S_IMODE((shell.folder / "data").stat().st_mode) == 0o700
    assert [key["name"] for key in shell.json("keys", "list")["keys"]] == ["key 1"]


def test_key_that_is_made_beside_a_server_opens_at_once_and_closes_when_revoked(shell: Shell, server: str) -> None:
    key = shell.json("keys", "create", "--name", "laptop")["key"]
    assert status_of(server, key) == 200

    shell.json("keys", "revoke", "laptop")

    deadline = time.monotonic() + 5
    while status_of(server, key) == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status_of(server, key) == 401


def test_database_of_a_running_server_can_be_looked_at_and_copied_but_not_replaced(shell: Shell, server: str) -> None:
    key = shell.json("keys", "create")["key"]

    assert shell.json("db", "upgrade") == {"upgraded": True}
    assert shell.json("db", "check")["sound"] is True
    backup = shell.json("db", "backup", "copy.db")
    refused = shell("db", "restore", "copy.db", "--yes")

    assert backup["size_bytes"] == (shell.folder / "copy.db").stat().st_size
    assert refused.returncode == 1
    assert "stop the server" in refused.stderr
    assert shell("doctor").returncode == 0
    assert status_of(server, key) == 200


def test_restored_backup_brings_back_what_was_there(shell: Shell) -> None:
    shell.json("keys", "create", "--name", "kept")
    shell.json("db", "backup", "copy.db")
    shell.json("keys", "revoke", "kept")

    restored = shell.json("db", "restore", "copy.db", "--yes")

    assert Path(shell.folder / restored["former"]).is_file()
    assert [key["revoked_at"] for key in shell.json("keys", "list")["keys"]] == [None]


def test_backup_of_another_installation_is_refused(shell: Shell, tmp_path: Path) -> None:
    other = Shell(tmp_path / "other")
    other.folder.mkdir()
    other.json("keys", "create")
    other.json("db", "backup", str(tmp_path / "foreign.db"))
    shell.json("keys", "create", "--name", "mine")

    refused = shell("db", "restore", "foreign.db", "--yes")

    assert refused.returncode == 78
    assert "sealed with another key" in refused.stderr
    assert [key["name"] for key in shell.json("keys", "list")["keys"]] == ["mine"]


def test_damaged_database_is_told(shell: Shell) -> None:
    shell.json("accounts", "import", "-", stdin=rows(300))
    database = shell.folder / "data" / "flow2api.db"
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 4096 * 8)

    checked = shell("db", "check")

    assert checked.returncode == 1
    assert "restore a backup" in checked.stdout + checked.stderr


def test_ten_thousand_accounts_are_imported_in_under_twenty_seconds(shell: Shell) -> None:
    (shell.folder / "in.json").write_text(rows(10_000))

    began = time.monotonic()
    report = shell.json("accounts", "import", "in.json")
    took = time.monotonic() - began

    assert report == {"added": 10_000, "updated": 0, "unchanged": 0, "errors": []}
    assert took < 20
    database = (shell.folder / "data" / "flow2api.db").read_bytes()
    assert json.loads((shell.folder / "in.json").read_text())["tokens"][0]["session_token"].encode() not in database


def test_accounts_can_be_moved_to_another_installation(shell: Shell, tmp_path: Path) -> None:
    shell.json("accounts", "import", "-", stdin=rows(20))
    (shell.folder / "passphrase").write_text("correct horse battery")
    assert shell("accounts", "export", "moved.json", "--passphrase-file", "passphrase").returncode == 0
    other = Shell(tmp_path / "other")
    other.folder.mkdir()

    report = other.json("accounts", "import", "../moved.json", "--passphrase-file", "../passphrase")

    assert report["added"] == 20
    assert shell("accounts", "export", "--plain").stdout == other("accounts", "export", "--plain").stdout


def test_doctor_finds_a_key_file_that_others_can_read(shell: Shell) -> None:
    shell.json("keys", "create")
    (shell.folder / "data" / "secret.key").chmod(0o644)

    found = shell("doctor", "--json")

    assert found.returncode == 1
    failed = [check for check in json.loads(found.stdout)["checks"] if check["state"] == "fail"]
    assert [check["name"] for check in failed] == ["secret key", "database"]
    assert failed[0]["cure"].startswith("chmod 600 ")


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


def test_terminal_without_unicode_shows_what_it_can(shell: Shell) -> None:
    token = "eyJ" + "x" * 300
    shell.json("accounts", "add", "--session-token-file", "-", "--name", "東京", stdin=token)

    listed = subprocess.run(
        shell.command("accounts", "list"),
        capture_output=True,
        check=False,
        cwd=shell.folder,
        env=shell.environment | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )

    assert listed.returncode == 0, listed.stderr
    assert rb"\u6771\u4eac" in listed.stdout
