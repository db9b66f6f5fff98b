"""The decision records: complete, listed, and true about the files that they name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "adr"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]


def test_pages_are_numbered_without_gaps() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_has_every_part(page: Path) -> None:
    text = page.read_text("utf-8")

    assert text.startswith(f"# {page.name[:4]} ")
    assert re.search(r"^- \*\*Status:\*\* (proposed|accepted|superseded by \d{4})$", text, re.MULTILINE)
    assert re.search(r"^- \*\*Area:\*\* \S", text, re.MULTILINE)
    assert re.search(r"^- \*\*Date:\*\* \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .+$", text, flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_is_listed_under_its_title(page: Path) -> None:
    title = page.read_text("utf-8").splitlines()[0].removeprefix(f"# {page.name[:4]} ")

    assert f"| [{page.name[:4]}]({page.name}) | {title} |" in (FOLDER / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_names_only_files_and_tests_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    files = re.findall(r"`((?:docs|flow2api|requirements|templates|tests)/[\w./-]+)`", text)
    named = [file for file in files if not (ROOT / file).exists()]
    suites = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "flow2api" / "testing" / "contracts").glob("*.py")]
    tests = "".join(path.read_text("utf-8") for path in suites)

    assert named == []
    assert [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in tests] == []
