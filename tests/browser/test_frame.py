"""What every page has: it looks right in both themes and at each width, anybody can use it, and nothing in it is run."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SLOW_S, WATCH, Demo, Stock, sign_in
from tests.browser.looks import Look, assert_for_everybody, in_looks, put_on

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
    "/console/keys/1/rotate",
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
    "/console/settings/records",
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


@pytest.mark.parametrize(("path", "look"), in_looks(PAGES))
def test_page_is_for_everybody(tab: Page, demo: Demo, stock: Stock, path: str, look: Look) -> None:
    put_on(tab, look)
    tab.goto(demo.base + stock.path(path))
    assert_for_everybody(tab, path.strip("/"), look)


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_page_is_in_the_language_of_the_browser(tab: Page, demo: Demo, language: str) -> None:
    put_on(tab, Look("light", 1440, language))
    tab.goto(f"{demo.base}/console")
    assert tab.locator("html").get_attribute("lang") == {"zh-CN": "zh-Hans", "en-GB": "en"}[language]


@pytest.mark.parametrize(("language", "words"), [("en-GB", "3 h ago"), ("zh-CN", "3 小时前")])
def test_clocks_go_on_in_the_words_of_the_server(tab: Page, demo: Demo, language: str, words: str) -> None:
    put_on(tab, Look("light", 1440, language))
    tab.goto(f"{demo.base}/console/you")
    moment = tab.locator("time[data-ago]").first
    moment.evaluate("(time) => { time.dateTime = new Date(Date.now() - 3.5 * 3600e3).toISOString(); }")
    expect(moment).to_have_text(words)


def test_stream_is_there_at_every_cold_load(chromium: Browser, session_state: Any, demo: Demo) -> None:
    for _ in range(12):
        context = chromium.new_context(storage_state=session_state)
        page = context.new_page()
        with page.expect_request("**/console/events*", timeout=SLOW_S * 1000):
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
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#name")).to_have_value("nobody")
    sign_in(page, demo)
    expect(page.locator("h1").first).to_be_visible()
    context.close()
