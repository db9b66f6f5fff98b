"""Wheels that are built from the checkout, and environments that hold nothing but what was put there."""

import importlib.metadata
import os
import re
import subprocess
import sys
import venv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installation:
    """An environment of its own, and a folder far from the checkout."""

    bin: Path
    away: Path

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FLOW2API", "COV"))}
        return kept | {"HOME": str(self.away), "PATH": f"{self.bin}{os.pathsep}{kept.get('PATH', '')}"}

    def run(self, *command: str, **variables: str) -> str:
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.away,
            env=self.variables | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def built(project: Path, folder: Path) -> Path:
    """The wheel of a project, built into a folder that holds no other of that project."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(build, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    name = project.name.replace("-", "_") if project != ROOT else "flow2api"
    [path] = folder.glob(f"{name}-*.whl")
    return path


def installed(folder: Path, wheels: Iterable[Path], packages: Collection[str]) -> Installation:
    """A new environment with these wheels, and with packages of this environment."""
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    [place] = (folder / "venv").glob("lib/python*/site-packages")
    link_packages(place, packages)
    python = folder / "venv" / "bin" / "python"
    pip(python, "install", "--no-deps", "--no-index", "--quiet", *map(str, wheels))
    away = folder / "away"
    away.mkdir()
    return Installation(bin=python.parent, away=away)


def pip(python: Path, *arguments: str) -> str:
    """What pip of this environment does to another one."""
    command = [sys.executable, "-m", "pip", "--python", str(python), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def locked_packages() -> list[str]:
    """What the runtime lock names, as far as it is for this system."""
    lock = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    found = []
    for name, marker in re.findall(r"^([\w.-]+)==[^ ;]+( ; .*)? \\$", lock, re.MULTILINE):
        try:
            importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            assert marker, f"{name} is locked for every system but not installed here"
            continue
        found.append(name)
    return found


def with_requirements(names: Iterable[str]) -> set[str]:
    """These packages and whatever they need."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name not in found:
            found.add(name)
            waiting += _required(name)
    return found


def link_packages(target: Path, names: Iterable[str]) -> None:
    """Put packages of this environment, and nothing else of it, into another one."""
    for name in names:
        for top in {file.parts[0] for file in importlib.metadata.files(name) or []} - {"..", "__pycache__"}:
            source = Path(str(importlib.metadata.distribution(name).locate_file(top)))
            if source.exists() and not (target / top).exists():
                (target / top).symlink_to(source)


def _required(name: str) -> Iterator[str]:
    for text in importlib.metadata.requires(name) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name
