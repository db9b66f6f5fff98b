"""The import contracts of pyproject.toml: kept by the tree, and broken by what they are there to catch."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

VIOLATIONS = {
    "an inner room imports an outer one": (
        "imports point inward",
        {"domain/planted.py": "import flow2api.adapters.planted_a", "adapters/planted_a.py": ""},
    ),
    "a room that is not on the map": ("imports point inward", {"utils/__init__.py": ""}),
    "an adapter imports another": (
        "adapters do not know each other",
        {"adapters/planted_a.py": "import flow2api.adapters.planted_b", "adapters/planted_b.py": ""},
    ),
    "a plugin imports another": (
        "plugins do not know each other",
        {"plugins/planted_a.py": "import flow2api.plugins.planted_b", "plugins/planted_b.py": ""},
    ),
    "a plugin hands out a door": (
        "plugins open no door",
        {"plugins/planted.py": "import flow2api.adapters.console", "adapters/console/__init__.py": ""},
    ),
    "the program imports the simulator": (
        "only flow2api.testing imports the simulator",
        {"plugins/planted.py": "import flow2api.simulator"},
    ),
    "the domain imports a framework": (
        "the domain knows no framework",
        {"domain/planted.py": "from litestar import get"},
    ),
    "the domain imports a framework for its types only": (
        "the domain knows no framework",
        {"domain/planted.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sqlalchemy"},
    ),
    "a noun works with a port": (
        "inside the domain: only the use cases and the pool",
        {"domain/media.py": "import flow2api.domain.ports.planted", "domain/ports/planted.py": ""},
    ),
    "a noun imports a use case": (
        "inside the domain: nothing stands over the use cases",
        {"domain/media.py": "import flow2api.domain.usecases.planted", "domain/usecases/planted.py": ""},
    ),
    "two neighbours import each other": (
        "neighbours have no cycles",
        {
            "adapters/planted/__init__.py": "",
            "adapters/planted/a.py": "import flow2api.adapters.planted.b",
            "adapters/planted/b.py": "import flow2api.adapters.planted.a",
        },
    ),
}


def check_contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter as `make lint` does, with the package of this folder and no other in sight."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); from importlinter.cli import lint_imports; "
    program += "sys.exit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


def plant(files: Mapping[str, str], package: Path) -> None:
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".py" and path.exists():
            text = f"{path.read_text('utf-8')}\n{text}"
        path.write_text(f"{text}\n", "utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "flow2api", tmp_path / "flow2api", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_tree_keeps_every_contract() -> None:
    result = check_contracts(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize(("contract", "files"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_contract_catches(contract: str, files: Mapping[str, str], copy: Path) -> None:
    plant(files, copy / "flow2api")

    result = check_contracts(copy)

    broken = [line for line in result.stdout.splitlines() if line.endswith("BROKEN")]
    assert result.returncode == 1, result.stdout + result.stderr
    assert any(line.startswith(contract) for line in broken), result.stdout
