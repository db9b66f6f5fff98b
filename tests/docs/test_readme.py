"""The request of the README works when it is pasted."""

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.docs.conftest import Demo
from tests.docs.pages import ROOT, blocks

README = ROOT / "README.md"

pytestmark = pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash")


def test_pasted_request_makes_a_picture(demo: Demo, tmp_path: Path) -> None:
    [key] = [block.text for block in blocks(README) if "API_KEY=" in block.text]
    [request] = [block.text for block in blocks(README) if block.text.startswith("curl ")]
    pasted = (key + request).replace("f2a_...", demo.api_key).replace("127.0.0.1:8000", demo.address)

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
