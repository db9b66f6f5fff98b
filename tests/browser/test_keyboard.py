"""The console without a mouse."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Stock

FOCUSED_ROW = "document.activeElement.closest('tr[data-row]')?.rowIndex ?? 0"


def test_letters_lead_to_pages_and_are_silent_in_fields(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("gk")
    expect(page.locator("#find")).to_have_value("gk")
    page.locator("#find").blur()
    page.keyboard.press("g")
    page.keyboard.press("k")
    page.wait_for_url("**/console/keys")


def test_rows_are_walked_through_and_chosen(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console/accounts")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED_ROW) == 2
    page.keyboard.press("x")
    expect(page.locator("tr[data-row]").nth(1).locator("input[type=checkbox]")).to_be_checked()
    page.keyboard.press("k")
    assert page.evaluate(FOCUSED_ROW) == 1


def test_viewer_closes_by_escape_and_gives_the_focus_back(page: Page, demo: Demo, stock: Stock) -> None:
    page.goto(f"{demo.base}/console/generations/gallery")
    first = page.locator(".gal .thumb").first
    first.focus()
    page.keyboard.press("ArrowRight")
    second = page.locator(".gal .thumb").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer[open] #viewer-body h2")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer[open]")).to_have_count(0)
    expect(second).to_be_focused()


def test_content_is_reached_at_once(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console/keys")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
