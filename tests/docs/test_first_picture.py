"""The first tutorial, run from its beginning to its end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.docs.conftest import Demo
from tests.docs.pages import DOCS, blocks

PAGE = DOCS / "tutorials" / "first-picture.md"


@pytest.mark.slow
def test_code_does_what_the_page_says(demo: Demo, tmp_path: Path) -> None:
    program = "\n".join(block.text for block in blocks(PAGE) if block.language == "python")
    environment = {**os.environ, "OPENAI_BASE_URL": demo.base_url, "OPENAI_API_KEY": demo.api_key}

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0] == "1184x864 jpeg"
    assert "1184x864" in told[1]
    assert "1536x1024" in told[1]
    assert sum(line.startswith(demo.base_url.removesuffix("/v1") + "/media/") for line in told) == 3
    assert "completed 100" in told
    assert told[-1].startswith("model_not_found ")
    assert "gemini-3.1-flash-image" in told[-1]
    for name in ("mug.jpg", "blue.jpg"):
        with Image.open(tmp_path / name) as picture:
            picture.load()
    assert (tmp_path / "boat.mp4").read_bytes()[4:8] == b"ftyp"
