"""A reader's terminal: commands of a page run in it one after the other, and variables stay."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

STARTS_WITHIN_S = 60.0


class Terminal:
    """Runs shell commands in a folder; what was started in the background ends with the block.

    Args:
        replaced: Texts that are something else here than on the page, such as ports.
        paths: Where Python finds packages, before all else.
    """

    def __init__(self, folder: Path, *, replaced: Mapping[str, str], paths: list[Path]) -> None:
        self._folder = folder
        self._replaced = replaced
        self._variables = folder / ".variables"
        self._variables.touch()
        self._background: list[subprocess.Popen[bytes]] = []
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("FLOW2API")}
        self._environment["PYTHONPATH"] = os.pathsep.join(map(str, paths))
        self._environment["PATH"] = f"{self._command()}{os.pathsep}{os.environ['PATH']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._background):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def run(self, text: str) -> str:
        """What commands print; every one of them has to succeed."""
        script = f"set -euo pipefail\n. {self._variables}\n{self._here(text)}\nexport -p > {self._variables}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}\n{self._logs()}"
        return done.stdout

    def start(self, text: str, url: str) -> None:
        """Run commands whose last one goes on, until something answers at the address."""
        script = f"set -euo pipefail\n. {self._variables}\n{self._here(text)}\n"
        log = self._folder / f"background-{len(self._background)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", script],
                cwd=self._folder,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._background.append(process)
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not _answers(self._here(url)):
            assert process.poll() is None, f"{text}\n{self._logs()}"
            assert time.monotonic() < deadline, f"{text}\n{self._logs()}"
            time.sleep(0.05)

    def _here(self, text: str) -> str:
        for told, actual in self._replaced.items():
            text = text.replace(told, actual)
        return text

    def _command(self) -> Path:
        """A folder with the command ``flow2api``, as an installed package would have it."""
        folder = self._folder / ".bin"
        folder.mkdir()
        command = folder / "flow2api"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m flow2api "$@"\n')
        command.chmod(0o755)
        return folder

    def _logs(self) -> str:
        return "\n".join(log.read_text("utf-8", "replace")[-3000:] for log in self._folder.glob("background-*.log"))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return False
    except OSError:
        return False
