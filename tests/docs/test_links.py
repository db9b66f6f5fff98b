"""Every link leads somewhere, and every page is led to."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, blocks, links, prose

ELSEWHERE = {DOCS / "changelog.d", DOCS / "adr"}
"""Folders with an index of their own."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for target in links(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        is_there = file.exists() and (not anchor or anchor in anchors(file))
        if not is_there:
            broken.append(target)
    assert broken == []


def test_index_leads_to_every_page() -> None:
    index = DOCS / "index.md"
    led_to = {(index.parent / target.partition("#")[0]).resolve() for target in links(index)}
    pages = {page for page in DOCS.rglob("*.md") if page.parent not in ELSEWHERE and page != index}
    assert pages <= led_to


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_name_their_language(page: Path) -> None:
    assert all(block.language for block in blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    """In the checkout, or in the package, which the text may leave out."""
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|md|toml|txt))`", prose(page))
    assert [file for file in named if not any((base / file).exists() for base in (ROOT, ROOT / "flow2api", DOCS))] == []


def test_pictures_are_small() -> None:
    large = {file.name: file.stat().st_size for file in (DOCS / "images").iterdir() if file.stat().st_size > 200_000}
    assert large == {}


def test_files_that_are_named_are_there() -> None:
    named = {
        (page, path)
        for page in PAGES
        if page.parent != DOCS / "adr"
        for path in re.findall(r"`((?:flow2api|tests|docs|bench|requirements)/[\w./-]*)`", page.read_text("utf-8"))
    }
    assert {(page.name, path) for page, path in named if not (ROOT / path).exists()} == set()
