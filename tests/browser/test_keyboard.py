"""The console without a mouse."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Stock
from tests.browser.looks import violations

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


@pytest.mark.parametrize(
    ("letter", "area"),
    [
        ("a", "/accounts"),
        ("g", "/generations"),
        ("p", "/playground"),
        ("k", "/keys"),
        ("m", "/models"),
        ("r", "/requests"),
        ("s", "/settings/balancing"),
        ("o", ""),
    ],
)
def test_every_area_has_its_letter(page: Page, demo: Demo, letter: str, area: str) -> None:
    page.goto(f"{demo.base}/console/more")
    page.keyboard.press("g")
    page.keyboard.press(letter)
    page.wait_for_url(f"**/console{area}")


def test_question_mark_shows_the_keys_and_escape_closes_them(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console/keys")
    page.locator("#main a.btn").first.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(page.locator("#letters")).to_be_hidden()
    expect(page.locator("#main a.btn").first).to_be_focused()
    assert page.url.endswith("/console/keys")


def test_letters_are_silent_for_who_does_not_want_them(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console/keys")
    page.evaluate("document.documentElement.dataset.keys = 'off'")
    for letter in ("g", "a", "/", "?", "j"):
        page.keyboard.press(letter)
    assert page.evaluate("document.activeElement === document.body")
    assert page.url.endswith("/console/keys")


def test_row_is_opened_changed_and_its_actions_reached(page: Page, demo: Demo, stock: Stock) -> None:
    page.goto(f"{demo.base}/console/accounts")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/console/accounts/\d+$"))
    page.go_back(wait_until="load")
    page.wait_for_url("**/console/accounts")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.wait_for_url(re.compile(r"/console/accounts/\d+$"))

    page.goto(f"{demo.base}/console/generations?state=failed")
    page.keyboard.press("j")
    page.keyboard.press(".")
    assert page.evaluate(
        "document.activeElement.closest('tr[data-row]') && document.activeElement.matches('button, .btn')"
    )


def test_menu_closes_by_escape_and_gives_the_focus_back(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console/accounts")
    opener = page.locator("summary.chip-add").first
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.has-menu[open]")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator("details.has-menu[open]")).to_have_count(0)
    expect(opener).to_be_focused()


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
