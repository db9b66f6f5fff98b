"""A server with plugins that are single files: one that fails is left out, unless it was chosen; one that blocks is named."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.e2e.with_parent import tied
from tests.integration.cli.test_processes import Shell, wait_for_address

OBSERVER = """
from flow2api.hookspecs import ObserverFactory, SettingsSection, hookimpl
import msgspec

class Settings(msgspec.Struct):
    path: str

class Diary:
    def notify(self, notice):
        pass

@hookimpl
def register_settings():
    return [SettingsSection("diary", Settings)]

@hookimpl
def register_observers():
    def build(section):
        with open(section["path"], "w") as file:
            file.write("made")
        return Diary()

    return [ObserverFactory("diary", build)]
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    for name, text in {"diary": OBSERVER, "broken": "raise ValueError('worn out')\n"}.items():
        (folder / f"{name}.py").write_text(text)
        (folder / f"{name}.py").chmod(0o600)
    return Shell(tmp_path)


@contextlib.contextmanager
def serving(shell: Shell, **settings: str) -> Iterator[Path]:
    log = shell.folder / "server.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            tied(shell.command("serve", "--port", "0")),
            cwd=shell.folder,
            env=shell.environment | settings,
            stderr=stderr,
        )
    try:
        wait_for_address(log, process)
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()


def test_server_runs_without_the_plugin_that_fails_and_with_the_other(shell: Shell) -> None:
    made = shell.folder / "made.txt"
    there = {"FLOW2API_PLUGINS_DIR": "plugins", "FLOW2API_PLUGINS": "broken,diary", "FLOW2API_LINGER_S": "0"}

    with serving(shell, **there, FLOW2API_DIARY__PATH=str(made)) as log:
        until = time.monotonic() + 30
        while not made.exists():
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)

    assert made.read_text() == "made"
    assert "plugin left out" in log.read_text()
    assert "ValueError: worn out" in log.read_text()


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("FLOW2API_OPTIONS__POLICY", "broken", "which the option policy asks for"),
        ("FLOW2API_DATABASE_URL", "broken:x", "of the setting database_url"),
    ],
)
def test_server_refuses_to_start_without_what_was_chosen(shell: Shell, setting: str, value: str, told: str) -> None:
    there = {"FLOW2API_PLUGINS_DIR": "plugins", "FLOW2API_PLUGINS": "broken"}

    done = shell("serve", "--port", "0", **there, **{setting: value})

    assert done.returncode == 78
    assert told in done.stderr.decode()
    assert "ValueError: worn out" in done.stderr.decode()


def test_server_refuses_to_start_without_what_a_stored_option_has_chosen(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = "from flow2api.plugins.policies import *\n"
    (shell.folder / "plugins" / "mine.py").write_text(
        policy + "@hookimpl\ndef register_selection_policies():\n    return [NamedPolicy('mine', FillFirst)]\n"
    )
    (shell.folder / "plugins" / "mine.py").chmod(0o600)
    there = {"FLOW2API_PLUGINS_DIR": "plugins"}
    monkeypatch.chdir(shell.folder)
    run = CommandLine({**there, "FLOW2API_DATA_DIR": str(shell.folder / "data")})
    assert run("options", "set", "plugins=mine").code == 0
    assert run("options", "set", "policy=mine").code == 0
    (shell.folder / "plugins" / "mine.py").write_text("raise ValueError('worn out')\n")

    done = shell("serve", "--port", "0", **there)

    assert done.returncode == 78
    assert "'mine', which the option policy asks for" in done.stderr.decode()
    assert "ValueError: worn out" in done.stderr.decode()
    assert "flow2api options reset policy" in done.stderr.decode()
    assert run("options", "reset", "policy").code == 0
