"""The second tutorial: its plugin is built, installed and used as the page says."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.docs.conftest import hurry
from tests.docs.pages import DOCS, ROOT, blocks
from tests.docs.terminal import Terminal
from tests.e2e.processes import free_port

PAGE = DOCS / "tutorials" / "first-policy.md"
SIMULATOR = "http://127.0.0.1:8899"
ANSWERS_AT = {"flow2api simulate": f"{SIMULATOR}/_sim/clock", "flow2api serve": "http://127.0.0.1:8000/readyz"}


def install(project: Path, folder: Path) -> None:
    """What pip does with a project: a wheel is built and unpacked where Python looks."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")]
    done = subprocess.run(build, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash")
def test_code_does_what_the_page_says(tmp_path: Path) -> None:
    page = blocks(PAGE)
    for block in page:
        if block.file is not None:
            path = tmp_path / block.file
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text, "utf-8")
    packages = tmp_path / "packages"
    install(tmp_path / "flow2api-thrifty", packages)
    simulator_port = free_port()
    ports = {":8000": f":{free_port()}", ":8899": f":{simulator_port}"}
    ports |= {told.replace(":", "--port "): actual.replace(":", "--port ") for told, actual in ports.items()}

    with Terminal(tmp_path, replaced=ports, paths=[packages, ROOT]) as terminal:
        for index, block in enumerate(page):
            if block.language != "sh" or "skip" in block.words:
                continue
            if "background" in block.words:
                [url] = [url for command, url in ANSWERS_AT.items() if command in block.text]
                terminal.start(block.text, url)
                if url.startswith(SIMULATOR):
                    hurry(f"http://127.0.0.1:{simulator_port}")
            else:
                printed = terminal.run(block.text)
                if "output" in block.words:
                    assert printed == page[index + 1].text
                elif "policies list" in block.text:
                    lines = [line.split() for line in printed.splitlines() if line.startswith("thrifty ")]
                    assert [line[:3] for line in lines] == [["thrifty", "0.1", "loaded"], ["thrifty", "no", "poor"]]
