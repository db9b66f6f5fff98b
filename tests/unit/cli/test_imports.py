"""What every command loads before it does anything: on a small machine this is most of what a short one takes."""

import subprocess
import sys
from pathlib import Path

UNWANTED = {"alembic", "apprise", "av", "curl_cffi", "jinja2", "litestar", "PIL", "sqlalchemy", "uvicorn", "zxcvbn"}


def loaded_by(code: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_commands_load_neither_the_api_nor_the_database_before_they_need_it() -> None:
    assert UNWANTED & loaded_by("import flow2api.cli") == set()


def test_plugins_load_what_they_stand_for_when_it_is_made() -> None:
    assert UNWANTED & loaded_by("from flow2api.extensions import load_extensions; load_extensions()") == set()


def test_storage_loads_nothing_of_other_databases() -> None:
    loaded = loaded_by("import flow2api.adapters.persistence")

    assert "sqlalchemy.dialects.sqlite" in loaded
    assert "sqlalchemy.dialects.postgresql" not in loaded
