"""The official npm SDK against the running server, where node and npm are there."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import Gateway

SCRIPT = Path(__file__).with_name("npm_sdk.mjs")
# Version 7 needs Node 22; 6 speaks the same API and runs on everything from Node 20 on.
PACKAGE = "openai@6"
INSTALLS_WITHIN_S = 60


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not there")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=INSTALLS_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode != 0:
        pytest.skip("the npm registry cannot be reached")
    return folder


@pytest.fixture(scope="module")
def seen(packages: Path, gateway: Gateway) -> Any:
    done = subprocess.run(
        ["node", str(SCRIPT), str(packages), f"{gateway.url}/v1", gateway.key],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_pictures_edits_and_models_arrive(seen: Any) -> None:
    assert seen["models"] > 10
    assert seen["picture"] == "ffd8ff"
    assert seen["edit"] == "ffd8ff"


def test_chat_streams_to_its_end(seen: Any) -> None:
    assert seen["chunks"] >= 3
    assert seen["finish"] == "stop"


def test_video_from_a_bracketed_reference_plays(seen: Any) -> None:
    assert seen["video"] == "completed"
    assert seen["file"] == "ftyp"


def test_errors_are_of_the_sdks_own_classes(seen: Any) -> None:
    assert seen["error"] == {"name": "NotFoundError", "status": 404, "code": "model_not_found", "requestID": True}
