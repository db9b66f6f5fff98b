"""What the reference says of the code is what the code says."""

import subprocess
import sys
from pathlib import Path

import pytest

from docs import generate, markdown
from tests.docs.pages import DOCS, ROOT


def test_no_page_is_out_of_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_part_stands_in_a_page() -> None:
    text = "".join(page.read_text("utf-8") for page in (DOCS / "reference").rglob("*.md"))
    assert {match[2] for match in generate.REGION.finditer(text)} == set(generate.PARTS)


def test_stale_page_is_named_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "options.md"
    page.write_text("# Options\n\n<!-- generated: policies -->\nold\n<!-- end -->\n\nby hand\n")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "PAGES", tmp_path)

    assert generate.main(["--check"]) == 1
    assert "options.md is out of date" in capsys.readouterr().err
    assert "old" in page.read_text()

    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    assert "least_busy" in page.read_text()
    assert page.read_text().endswith("\n\nby hand\n")


def test_docstring_becomes_markdown_by_attribute() -> None:
    class Shape:
        """A thing.

        Attributes:
            width: How wide, ``0`` is
                flat.
            height: How :class:`high`.
        """

    assert markdown.attributes(Shape) == {"width": "How wide, `0` is flat.", "height": "How `high`."}
