"""The page about the testing kit: it names everything, and its code proves what it proves."""

import os
import re
import subprocess
import sys
from pathlib import Path
from pkgutil import iter_modules

import pytest

from flow2api import testing
from flow2api.testing import contracts, fakes
from flow2api.testing.contracts import Offer
from tests.docs.pages import DOCS, ROOT, blocks

PAGE = DOCS / "reference" / "testing.md"
TEXT = PAGE.read_text("utf-8")


@pytest.mark.parametrize("name", sorted({*contracts.__all__} - {"ALL_OFFERS"}))
def test_every_suite_is_named(name: str) -> None:
    assert f"`{name}`" in TEXT or re.search(rf"\b{name}\b", TEXT)


@pytest.mark.parametrize("offer", Offer)
def test_every_offer_is_explained(offer: Offer) -> None:
    assert f"| `{offer.name}` |" in TEXT


def test_every_module_is_named() -> None:
    modules = [one.name for package in (testing, fakes) for one in iter_modules(package.__path__)]

    assert [name for name in modules if name not in TEXT] == []


def test_its_examples_pass(tmp_path: Path) -> None:
    for block in blocks(PAGE):
        if block.file is not None:
            (tmp_path / block.file).write_text(block.text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "First or TestSessions"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b\d\d passed", done.stdout)
