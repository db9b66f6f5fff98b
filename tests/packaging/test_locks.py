"""The locks: complete, hashed, and naming nobody's machine or mirror."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["runtime", "dev", "lock"]
PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>.+?))? \\$")


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    return {found["name"]: found["version"] for line in text.splitlines() if (found := PIN.match(line))}


def canonical(requirement: str) -> str:
    name = re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8").splitlines()
    requirements = [number for number, line in enumerate(lines) if line and line[0] not in " #"]

    assert requirements
    for number in requirements:
        assert PIN.match(lines[number]), lines[number]
        assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", lines[number + 1]), lines[number]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_address_and_no_path(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")

    assert re.findall(r"\w+://\S+|--(?:extra-)?index\S*|--find-links\S*|--trusted-host\S*|(?<!\w)/\w+/\S*", text) == []


def test_dev_lock_repeats_the_runtime_lock() -> None:
    runtime, dev = pins("runtime"), pins("dev")

    assert {name: dev.get(name) for name in runtime} == runtime


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    runtime = project["project"]["dependencies"]
    dev = project["project"]["optional-dependencies"]["testing"] + project["dependency-groups"]["dev"]

    assert {canonical(name) for name in runtime} <= pins("runtime").keys()
    assert {canonical(name) for name in dev} <= pins("dev").keys()
