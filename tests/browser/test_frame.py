"""What every page has: it looks right in both themes and at each width, anybody can use it, and it stays true."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import PICTURES, WATCH, Demo, Seen, sign_in

PAGES = [
    "/console",
    "/console/more",
    "/console/nowhere",
]

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module", autouse=True)
def something_to_see(demo: Demo) -> None:
    """Two pictures and a video, so that pages are not empty."""
    demo.picture("a red mug <script>alert(1)</script> on a wooden table")
    demo.picture("an isometric map of a small harbour town")
    demo.video("a paper boat drifting down a rain gutter")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_page_is_for_everybody(
    context: BrowserContext, demo: Demo, seen: Seen, path: str, theme: Any, width: int
) -> None:
    page = context.new_page()
    seen.watch(page)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)

    page.goto(demo.base + path)
    page.wait_for_load_state("load")
    page.wait_for_timeout(150)

    keep_picture(page, f"{path.strip('/').replace('/', '-')}-{theme}-{width}")
    found = Axe().run(page, options=AXE).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.__violations") == []


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_page_is_in_the_language_of_the_browser(
    chromium: Browser, session_state: Any, demo: Demo, language: str
) -> None:
    context = chromium.new_context(storage_state=session_state, locale=language)
    page = context.new_page()
    page.goto(f"{demo.base}/console")
    assert page.locator("html").get_attribute("lang") == {"zh-CN": "zh-Hans", "en-GB": "en"}[language]
    context.close()


def test_stream_is_there_at_every_cold_load(chromium: Browser, session_state: Any, demo: Demo) -> None:
    for _ in range(20):
        context = chromium.new_context(storage_state=session_state)
        page = context.new_page()
        with page.expect_request("**/console/events*", timeout=5000):
            page.goto(f"{demo.base}/console")
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
    page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
