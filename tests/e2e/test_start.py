"""How the server starts, and what it says when it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import free_port


def serve(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {"FLOW2API_DATA_DIR": str(folder / "data"), "FLOW2API_PORT": str(free_port()), **environment}
    return subprocess.run(
        [sys.executable, "-m", "flow2api", "serve"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"FLOW2API_SECRET_KEY": "too short"}, "secret key"),
        ({"FLOW2API_PROT": "1"}, "port"),
        ({"FLOW2API_DATABASE_URL": "mongodb://x"}, "mongodb"),
        ({"FLOW2API_OPTIONS__POLICY": "nobody"}, "nobody"),
        ({"FLOW2API_FLOW__ERA": "2031-01"}, "era"),
        ({"FLOW2API_HOST": "192.0.2.1"}, "192.0.2.1"),
    ],
)
def test_settings_that_cannot_be_used_end_it_with_78_and_one_sentence(
    tmp_path: Path, environment: dict[str, str], word: str
) -> None:
    done = serve(tmp_path, **environment)
    assert done.returncode == 78, done.stderr
    assert "Traceback" not in done.stderr
    assert word in done.stderr.splitlines()[-1]
