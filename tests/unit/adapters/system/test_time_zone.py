from pathlib import Path

import pytest

from flow2api.adapters.system import time_zone
from flow2api.adapters.system.time_zone import machine_zone


@pytest.fixture(autouse=True)
def _nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(time_zone, "_NAME", tmp_path / "timezone")
    monkeypatch.setattr(time_zone, "_LOCAL_TIME", tmp_path / "localtime")
    machine_zone.cache_clear()


def test_is_the_one_of_the_environment_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "timezone").write_text("Europe/Berlin\n")
    monkeypatch.setenv("TZ", ":Asia/Kolkata")

    assert str(machine_zone()) == "Asia/Kolkata"


def test_is_the_one_that_the_machine_names(tmp_path: Path) -> None:
    (tmp_path / "timezone").write_text("Europe/Berlin\n")

    assert str(machine_zone()) == "Europe/Berlin"


def test_is_the_one_that_the_machine_links_to(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/America/St_Johns")

    assert str(machine_zone()) == "America/St_Johns"


@pytest.mark.parametrize("name", ["", "CET-1CEST", "../../x"])
def test_is_utc_where_nothing_names_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TZ", name)

    assert str(machine_zone()) == "UTC"
