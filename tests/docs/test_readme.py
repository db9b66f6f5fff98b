"""The README keeps its word: its request works when it is pasted, and what it promises of clients that hang up holds."""

import http.client
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.docs.conftest import Demo
from tests.docs.pages import ROOT, blocks

README = ROOT / "README.md"

ENDS_WITHIN_S = 60.0


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash")
def test_pasted_request_makes_a_picture(demo: Demo, tmp_path: Path) -> None:
    [line] = [line for line in demo.told.splitlines() if line.startswith("export API_KEY=")]
    [request] = [block.text for block in blocks(README) if block.text.startswith("curl ")]
    assert "`export API_KEY=f2a_`" in README.read_text("utf-8")
    assert_makes_a_picture(f"{line}\n{request}".replace("127.0.0.1:8000", demo.address), tmp_path)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash")
def test_what_the_demo_prints_can_be_pasted(demo: Demo, tmp_path: Path) -> None:
    assert_makes_a_picture(demo.told[demo.told.index("curl -s ") :], tmp_path)


def assert_makes_a_picture(pasted: str, tmp_path: Path) -> None:
    done = subprocess.run(["bash", "-c", pasted], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "mug.jpg") as picture:
        picture.load()
        assert picture.format == "JPEG"
        assert picture.width > picture.height


def test_commands_are_targets_of_make() -> None:
    targets = (ROOT / "Makefile").read_text("utf-8")
    named = [block.text.split()[1] for block in blocks(README) if block.text.startswith("make ")]
    assert named == ["demo", "test"]
    assert all(f"\n{name}: ##" in targets for name in named)


@pytest.mark.slow
def test_client_that_hangs_up_ends_no_work(demo: Demo) -> None:
    headers = {"authorization": f"Bearer {demo.api_key}", "content-type": "application/json"}
    asked = {
        "model": "sora-2",
        "stream": True,
        "messages": [{"role": "user", "content": "a boat that nobody waits for"}],
    }
    connection = http.client.HTTPConnection(demo.address, timeout=30)
    connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
    assert connection.getresponse().readline().startswith(b"data: ")
    connection.close()

    deadline = time.monotonic() + ENDS_WITHIN_S
    while True:
        connection = http.client.HTTPConnection(demo.address, timeout=30)
        connection.request("GET", "/v1/videos", headers=headers)
        [video] = [one for one in json.load(connection.getresponse())["data"] if "nobody waits" in one["prompt"]]
        connection.close()
        if video["status"] == "completed":
            return
        assert video["status"] in ("queued", "in_progress"), video
        assert time.monotonic() < deadline, video
        time.sleep(0.2)
