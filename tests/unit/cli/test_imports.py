"""What every command loads before it does anything: on a small machine this is most of what a short one takes."""

import subprocess
import sys
from pathlib import Path

UNWANTED = {"alembic", "apprise", "av", "jinja2", "litestar", "PIL", "sqlalchemy", "uvicorn", "zxcvbn"}


def test_commands_load_neither_the_api_nor_the_database_before_they_need_it() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import flow2api.cli, sys; print(*sys.modules)"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )

    assert UNWANTED & set(loaded.stdout.split()) == set()
