"""What every page has: it looks right in both themes and at each width, anybody can use it, and nothing in it is run."""

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PICTURES, WATCH, Demo, Stock, sign_in

PAGES = [
    "/console",
    "/console?span=30d",
    "/console/more",
    "/console/nowhere",
    "/console/accounts",
    "/console/accounts?q=nobody+is+called+so",
    "/console/accounts/1",
    "/console/accounts/3",
    "/console/accounts/99999",
    "/console/accounts/add",
    "/console/accounts/add?upstream=openai",
    "/console/accounts/import",
    "/console/accounts/export",
    "/console/accounts/extension",
    "/console/generations",
    "/console/generations?state=completed",
    "/console/generations?state=failed",
    "/console/generations?state=cancelled",
    "/console/generations/{generation}",
    "/console/generations/{failed}",
    "/console/generations/{video}",
    "/console/generations/gallery",
    "/console/generations/gallery/{medium}",
    "/console/playground",
    "/console/playground?again={generation}",
    "/console/keys",
    "/console/keys/1",
    "/console/keys/create",
    "/console/models",
    "/console/models/one?name=gemini-3.0-pro-image",
    "/console/models/routes",
    "/console/requests",
    "/console/requests?q=nothing",
    "/console/requests?open={line}",
    "/console/requests/{line}",
    "/console/requests/clear",
    "/console/connect",
    "/console/settings",
    "/console/settings/proxies",
    "/console/settings/notifications",
    "/console/settings/operators",
    "/console/settings/start-up",
    "/console/replay",
    "/console/you",
    "/console/first-steps",
    "/console/plugins",
    "/console/system",
    "/console/audit",
    "/console/search?q=demo",
    "/console/search?q=nobody",
]

EVERY_LOOK = [(theme, width, tag) for theme in ("light", "dark") for width in (1440, 390) for tag in ("en-GB", "zh-CN")]
LOOKS = EVERY_LOOK if os.environ.get("BROWSER_EVERY_LOOK") else [("light", 1440, "en-GB"), ("dark", 390, "en-GB")]
"""The whole matrix takes four times as long: BROWSER_EVERY_LOOK=1 asks for it."""

AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}

# Other languages need up to two fifths more room than English.
LENGTHEN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const words = text.data.trim();
    if (!words || text.parentElement.closest('script, style, code, pre, .mono, time')) continue;
    text.data = text.data.replace(words, words + ' ' + 'åé'.repeat(Math.ceil(words.length * 0.2)).slice(0, 12));
  }
}"""


@pytest.mark.parametrize(("theme", "width", "language"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_page_is_for_everybody(
    tab: Page, demo: Demo, stock: Stock, path: str, theme: Any, width: int, language: str
) -> None:
    look_at(tab, demo.base + stock.path(path), theme, width, language)

    keep_picture(tab, f"{path.strip('/')}-{theme}-{width}-{language[:2]}")
    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("[window.__violations, window.__xss]") == [[], 0]
    tab.evaluate(LENGTHEN)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def look_at(page: Page, address: str, theme: Any, width: int, language: str) -> None:
    """Open a page as somebody would who has such a screen and such a language."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    page.set_extra_http_headers({"accept-language": language})
    page.goto(address)
    page.wait_for_load_state("load")


def violations(page: Page) -> list[Any]:
    """What keeps somebody from using the page."""
    found = Axe().run(page, options=AXE).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found]


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_page_is_in_the_language_of_the_browser(tab: Page, demo: Demo, language: str) -> None:
    look_at(tab, f"{demo.base}/console", "light", 1440, language)
    assert tab.locator("html").get_attribute("lang") == {"zh-CN": "zh-Hans", "en-GB": "en"}[language]


def test_stream_is_there_at_every_cold_load(chromium: Browser, session_state: Any, demo: Demo) -> None:
    for _ in range(12):
        context = chromium.new_context(storage_state=session_state)
        page = context.new_page()
        with page.expect_request("**/console/events*", timeout=5000):
            page.goto(f"{demo.base}/console", wait_until="commit")
        context.close()


def test_door_works_and_says_what_is_wrong(chromium: Browser, demo: Demo) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(f"{demo.base}/login")
    page.fill("#name", "nobody")
    page.fill("#passphrase", "wrong")
    page.click("button.pri")
    assert page.get_by_role("alert").is_visible()
    assert page.input_value("#name") == "nobody"
    sign_in(page, demo)
    assert page.locator("h1").first.is_visible()
    context.close()


def keep_picture(page: Page, name: str) -> None:
    """Leave a picture of the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    safe = "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in name)
    page.screenshot(path=str(Path(PICTURES) / f"{safe}.png"), full_page=True)
