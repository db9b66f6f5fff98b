"""The set-up of .venv: what counts as done, and what is done again. Its pip is played; the real one runs in `make`."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


class Checkout:
    """A checkout with three locks, whose set-up notes what it would have done."""

    def __init__(self, folder: Path, sync: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.done: list[str] = []
        self.pip_fails = False
        self._sync = sync
        for name in ("runtime", "dev", "lock"):
            self.lock(name, "first")
        monkeypatch.setattr(sync, "ROOT", folder)
        monkeypatch.setattr(sync, "ENVIRONMENT", folder / ".venv")
        monkeypatch.setattr(sync, "RECORD", folder / ".venv" / "installed.json")
        monkeypatch.setattr(sync, "_create", self._create)
        monkeypatch.setattr(sync, "_install", self._install)

    def lock(self, name: str, text: str) -> None:
        path = self.folder / "requirements" / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")

    def sync(self, *names: str) -> list[str]:
        self.done.clear()
        self.exit_code: int = self._sync.main(list(names))
        return self.done

    def _create(self) -> None:
        self.done.append("create")
        (self.folder / ".venv").mkdir(exist_ok=True)
        (self.folder / ".venv" / "installed.json").unlink(missing_ok=True)

    def _install(self, names: list[str]) -> None:
        self.done += names
        if self.pip_fails:
            raise subprocess.CalledProcessError(1, "pip")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    spec = importlib.util.spec_from_file_location("sync", ROOT / "requirements" / "sync.py")
    assert spec is not None
    assert spec.loader is not None
    sync = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sync)
    return Checkout(tmp_path, sync, monkeypatch)


def test_does_nothing_when_the_locks_are_installed(checkout: Checkout) -> None:
    assert checkout.sync("runtime") == ["create", "runtime"]
    assert checkout.sync("runtime") == []
    assert checkout.exit_code == 0


def test_adds_the_tools_to_a_runtime_environment(checkout: Checkout) -> None:
    checkout.sync("runtime")

    assert checkout.sync("dev") == ["dev"]
    assert checkout.sync("lock") == ["lock"]
    assert checkout.sync("runtime", "dev", "lock") == []


def test_dev_environment_serves_the_demo_too(checkout: Checkout) -> None:
    checkout.sync("dev")

    assert checkout.sync("runtime") == []


def test_builds_anew_when_a_lock_changes(checkout: Checkout) -> None:
    checkout.sync("dev")
    checkout.lock("dev", "second")

    assert checkout.sync("runtime") == ["create", "runtime"]
    assert checkout.sync("dev") == ["dev"]


def test_builds_anew_when_the_checkout_has_moved(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.sync("runtime")
    moved = checkout.folder.rename(checkout.folder.with_name("moved"))
    monkeypatch.setattr(checkout._sync, "ROOT", moved)
    monkeypatch.setattr(checkout._sync, "RECORD", moved / ".venv" / "installed.json")
    checkout.folder = moved

    assert checkout.sync("runtime") == ["create", "runtime"]


def test_failed_set_up_is_repeated(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.pip_fails = True
    checkout.sync("runtime")
    assert checkout.exit_code == 1
    assert "did not finish" in capsys.readouterr().err

    checkout.pip_fails = False

    assert checkout.sync("runtime") == ["create", "runtime"]


def test_failed_addition_is_repeated(checkout: Checkout) -> None:
    checkout.sync("runtime")
    checkout.pip_fails = True
    checkout.sync("dev")
    checkout.pip_fails = False

    assert checkout.sync("dev") == ["dev"]


def test_refuses_an_old_python_by_name(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout._sync, "OLDEST_PYTHON", (99, 0))

    assert checkout.sync("runtime") == []
    assert checkout.exit_code == 1


def test_refuses_a_python_without_venv_by_name(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checkout._sync.importlib.util, "find_spec", lambda name: None)

    assert checkout.sync("runtime") == []
    assert checkout.exit_code == 1
    assert "python3-venv" in capsys.readouterr().err
