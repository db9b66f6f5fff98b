"""What every command loads before it does anything: on a small machine this is most of what a short one takes."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

UNWANTED = {"alembic", "apprise", "av", "curl_cffi", "jinja2", "litestar", "PIL", "sqlalchemy", "uvicorn", "zxcvbn"}


def loaded_by(code: str, **variables: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(); print(*sys.modules)"],
        cwd=Path(__file__).parents[3],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return {*ran.stdout.splitlines()[-1].split(), *ran.stderr.split()}


def test_commands_load_neither_the_api_nor_the_database_before_they_need_it() -> None:
    assert UNWANTED & loaded_by("import flow2api.cli") == set()


def test_plugins_load_what_they_stand_for_when_it_is_made() -> None:
    assert UNWANTED & loaded_by("from flow2api.extensions import load_extensions; load_extensions()") == set()


@pytest.mark.parametrize("command", ["--help", "plugins"])
def test_plugins_that_the_option_names_are_known_without_the_database(command: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "flow2api.db")) as connection, connection:
        connection.execute("CREATE TABLE options (name TEXT, value TEXT)")
        connection.execute("""INSERT INTO options VALUES ('plugins', '["nobody_at_all"]')""")

    found = loaded_by(
        f"from flow2api.cli.main import cli; cli.main(['{command}'], standalone_mode=False)",
        FLOW2API_DATA_DIR=str(tmp_path),
    )

    assert found & UNWANTED == set()
    assert any("nobody_at_all" in word for word in found)


def test_storage_loads_nothing_of_other_databases() -> None:
    loaded = loaded_by("import flow2api.adapters.persistence.storage")

    assert "sqlalchemy.dialects.sqlite" in loaded
    assert "sqlalchemy.dialects.postgresql" not in loaded
