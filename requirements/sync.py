"""Bring .venv in step with the locks, then get out of the way.

Usage: python requirements/sync.py SET...   where SET names a lock beside this file: runtime, dev or lock

The environment holds exactly what the locks name, checked by hash, and finds the package in the checkout. It is built anew
when a lock, the interpreter or the place of the checkout has changed. What is installed is written down last, so a set-up
that was interrupted is never taken for a finished one; of two set-ups at once, the second waits for the first.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
RECORD = ENVIRONMENT / "installed.json"
OLDEST_PYTHON = (3, 11)
CONTAINED = {"dev": ["runtime"]}
"""The dev lock repeats every line of the runtime lock, so whoever has the first has the second."""


def main(wanted: list[str]) -> int:
    """Install the locks that are named and not in place yet; return the exit code."""
    if sys.version_info < OLDEST_PYTHON:
        return _fail(
            f"Python {sys.version.split()[0]} is too old for flow2api, which needs 3.11 or newer: "
            "name a newer one with `make PYTHON=python3.12 ...`."
        )
    if importlib.util.find_spec("ensurepip") is None:
        return _fail("This Python has no complete venv module: install it, on Debian and Ubuntu as python3-venv.")
    with _alone():
        installed = _installed()
        if any(_digest(name) != digest for name, digest in installed.items()):
            installed = {}
        missing = [name for name in wanted if name not in installed]
        if not missing:
            return 0
        try:
            if not installed:
                _create()
            _install(missing)
        except subprocess.CalledProcessError:
            return _fail("The set-up did not finish, see the lines above; the same command tries again.")
        _write(installed | {part: _digest(part) for name in missing for part in [name, *CONTAINED.get(name, [])]})
    return 0


def _digest(name: str) -> str:
    """What the content of a set depends on: its lock, the interpreter, the place."""
    lock = ROOT / "requirements" / f"{name}.txt"
    parts = [lock.read_bytes(), sys.version.encode(), os.fsencode(sys.base_prefix), os.fsencode(ROOT)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _installed() -> dict[str, str]:
    try:
        record: dict[str, str] = json.loads(RECORD.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record


def _write(record: dict[str, str]) -> None:
    unfinished = RECORD.with_suffix(".new")
    unfinished.write_text(json.dumps(record, indent=2), "utf-8")
    unfinished.replace(RECORD)


def _create() -> None:
    print("Setting up .venv (once; takes a minute) ...", flush=True)
    RECORD.unlink(missing_ok=True)
    venv.EnvBuilder(clear=True, with_pip=True, symlinks=True).create(ENVIRONMENT)
    # Makes `import flow2api` work from every folder, as an editable install would, without a build step.
    [packages] = ENVIRONMENT.glob("lib/python*/site-packages")
    (packages / "flow2api-checkout.pth").write_text(f"{ROOT}\n", "utf-8")


def _install(names: list[str]) -> None:
    # --no-deps: the locks are complete, so nothing needs to be resolved. --only-binary: building a package would run
    # build tools that no hash vouches for. --no-compile: half of the time, for modules that mostly nobody imports.
    options = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"]
    options += ["-qq", "--disable-pip-version-check", "--no-input"]
    locks = [part for name in names for part in ("-r", str(ROOT / "requirements" / f"{name}.txt"))]
    subprocess.run([str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", *options, *locks], check=True)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the set-up's lock. The system lets go of it when the process ends, however it ends."""
    with (ROOT / ".venv.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
