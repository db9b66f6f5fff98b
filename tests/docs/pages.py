"""The documentation as data: pages, headings, links and blocks of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("bench/*.md")])

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!\w+:)(?P<target>[^)\s]*)\)")


@dataclass(frozen=True)
class Block:
    """A block of code. ``words`` are what stands behind the language, for whoever runs it."""

    language: str
    words: tuple[str, ...]
    text: str

    @property
    def file(self) -> str | None:
        """Where a reader is told to put it."""
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), None)


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", page.read_text("utf-8"))


def blocks(page: Path) -> list[Block]:
    """Every block of code of a page, in order."""
    found = []
    for match in _FENCE.finditer(page.read_text("utf-8")):
        language, *words = match["info"].split() or [""]
        found.append(Block(language, tuple(words), match["text"]))
    return found


def headings(page: Path) -> list[str]:
    """Every heading of a page, as it is written."""
    return re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What links to parts of a page can name, by the rule of the common forges."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings(page)}


def links(page: Path) -> Iterator[str]:
    """Every link of a page that leads into the repository."""
    for match in _LINK.finditer(prose(page)):
        yield match["target"]
