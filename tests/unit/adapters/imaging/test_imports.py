"""What each side of the pipes loads: the start of a worker and the memory of the server depend on it."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("flow2api.adapters.imaging.worker", {"asyncio", "av", "litestar", "sqlalchemy", "curl_cffi", "pluggy"}),
        ("flow2api.adapters.imaging.pictures", {"PIL", "av"}),
        ("flow2api.adapters.imaging.stills", {"PIL", "av"}),
    ],
)
def test_loads_nothing_that_it_does_not_need(module: str, unwanted: set[str]) -> None:
    program = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[4], capture_output=True, text=True, check=True
    )

    assert unwanted & set(loaded.stdout.split()) == set()
