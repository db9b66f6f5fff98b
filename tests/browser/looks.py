"""How different people see a page: their themes, widths and languages, and what has to hold for each of them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PICTURES

HEIGHT = 900
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (1440, 390)
LANGUAGES = ("en-GB", "zh-CN")


@dataclass(frozen=True)
class Look:
    """What somebody has chosen, and how wide his window is."""

    theme: Literal["light", "dark"]
    width: int
    language: str

    def __str__(self) -> str:
        return f"{self.theme}-{self.width}-{self.language[:2]}"

    @property
    def opposite(self) -> "Look":
        """The look that differs in everything."""
        theme = THEMES[1 - THEMES.index(self.theme)]
        width = WIDTHS[1 - WIDTHS.index(self.width)]
        return Look(theme, width, LANGUAGES[1 - LANGUAGES.index(self.language)])


EVERY_LOOK = tuple(Look(theme, width, tag) for theme in THEMES for width in WIDTHS for tag in LANGUAGES)


def in_looks(pages: Iterable[Any], count: int = 2) -> list[Any]:
    """Pages, each in some looks, as the cases of a test.

    Every page in every look takes four times as long: ``BROWSER_EVERY_LOOK=1`` asks for it. Otherwise the looks take
    turns, so that all of them are there, and with a count of two each page has both themes, widths and languages.
    """
    cases = []
    for number, page in enumerate(pages):
        first = EVERY_LOOK[number % len(EVERY_LOOK)]
        looks = EVERY_LOOK if os.environ.get("BROWSER_EVERY_LOOK") else (first, first.opposite)[:count]
        cases += [pytest.param(page, look, id=f"{page}-{look}") for look in looks]
    return cases


def put_on(page: Page, look: Look) -> None:
    """Let a tab have a look; it holds from the next page on."""
    page.set_viewport_size({"width": look.width, "height": HEIGHT})
    page.emulate_media(color_scheme=look.theme)
    page.set_extra_http_headers({"accept-language": look.language})


def assert_for_everybody(page: Page, name: str, look: Look) -> None:
    """Hold what a tab shows against the rules of accessibility, its width and its policy, and keep a picture of it."""
    keep_picture(page, f"{name}-{look}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= look.width
    assert page.evaluate("[window.__violations, window.__xss]") == [[], 0]


def violations(page: Page) -> list[Any]:
    """What keeps somebody from using the page."""
    page.evaluate(_axe())
    found = page.evaluate("options => axe.run(document, options).then((result) => result.violations)", _AXE)
    return [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found]


def keep_picture(page: Page, name: str) -> None:
    """Leave a picture of the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    safe = "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in name)
    page.screenshot(path=str(Path(PICTURES) / f"{safe}.jpg"), type="jpeg", quality=85, full_page=True)


_AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@cache
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
