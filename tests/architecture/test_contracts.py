"""The import contracts of pyproject.toml: kept by the tree, and broken by what they are there to catch."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

VIOLATIONS: dict[str, tuple[str, Mapping[str, str], str]] = {
    "an inner room imports an outer one": (
        "imports point inward",
        {"domain/outwards.py": "import flow2api.adapters.reached", "adapters/reached.py": ""},
        "flow2api.domain.outwards -> flow2api.adapters.reached",
    ),
    "a room that is not on the map": ("imports point inward", {"utils/__init__.py": ""}, "flow2api.utils"),
    "an adapter imports another": (
        "adapters do not know each other",
        {"adapters/one.py": "import flow2api.adapters.other", "adapters/other.py": ""},
        "flow2api.adapters.one -> flow2api.adapters.other",
    ),
    "a plugin imports another": (
        "plugins do not know each other",
        {"plugins/one.py": "import flow2api.plugins.other", "plugins/other.py": ""},
        "flow2api.plugins.one -> flow2api.plugins.other",
    ),
    "a plugin hands out a door": (
        "plugins open no door",
        {"plugins/doorman.py": "import flow2api.adapters.console"},
        "flow2api.plugins.doorman -> flow2api.adapters.console",
    ),
    "the program imports the simulator": (
        "only flow2api.testing imports the simulator",
        {"plugins/player.py": "import flow2api.simulator"},
        "flow2api.plugins.player -> flow2api.simulator",
    ),
    "the program needs what only tests have": (
        "only flow2api.testing needs what the extra",
        {"adapters/tested.py": "import pytest"},
        "flow2api.adapters.tested -> pytest",
    ),
    "the domain imports a framework": (
        "the domain knows no framework",
        {"domain/framed.py": "from litestar import get"},
        "flow2api.domain.framed -> litestar",
    ),
    "the domain imports a framework for its types only": (
        "the domain knows no framework",
        {"domain/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sqlalchemy"},
        "flow2api.domain.typed -> sqlalchemy",
    ),
    "a noun works with a port": (
        "inside the domain: only the use cases and the pool",
        {"domain/media.py": "import flow2api.domain.ports.planted", "domain/ports/planted.py": ""},
        "flow2api.domain.media -> flow2api.domain.ports.planted",
    ),
    "a noun imports a use case": (
        "inside the domain: nothing stands over the use cases",
        {"domain/secret.py": "import flow2api.domain.usecases.planted", "domain/usecases/planted.py": ""},
        "flow2api.domain.secret -> flow2api.domain.usecases.planted",
    ),
    "two neighbours import each other": (
        "neighbours have no cycles",
        {
            "adapters/planted/__init__.py": "",
            "adapters/planted/a.py": "import flow2api.adapters.planted.b",
            "adapters/planted/b.py": "import flow2api.adapters.planted.a",
        },
        "No cycles are allowed in flow2api.adapters.planted.",
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


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a copy of the tree in which every violation is planted."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "flow2api", copy / "flow2api", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for _, files, _ in VIOLATIONS.values():
        plant(files, copy / "flow2api")
    result = check_contracts(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stdout


def test_tree_keeps_every_contract() -> None:
    result = check_contracts(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize(("contract", "files", "violation"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_contract_catches(contract: str, files: Mapping[str, str], violation: str, told: str) -> None:
    broken, _, details = told.partition("Broken contracts")

    assert any(line.startswith(contract) and line.endswith("BROKEN") for line in broken.splitlines()), told
    assert violation in details, told
