"""A page that loses its server says so, keeps what was typed, and comes to the truth again by itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo
from tests.e2e.processes import Gateway, Simulator

PASSPHRASE = "quiet maple river lamp"
HIDE = """(hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    options = {"picture_s": 0.0, "media": "small"}
    with (
        Simulator(tmp_path, options, [{"email": "one@example.com"}]) as simulator,
        Gateway(tmp_path, simulator) as running,
    ):
        yield running


def signed_in(browser: Browser, gateway: Gateway, code: str) -> Page:
    """A tab of the first owner, who sets himself up with the code."""
    page = browser.new_context(locale="en-GB").new_page()
    page.goto(f"{gateway.url}/setup")
    page.fill("#code", code)
    page.fill("#name", "owner")
    page.fill("#passphrase", PASSPHRASE)
    page.fill("#again", PASSPHRASE)
    page.get_by_role("button", name="Become the owner").click()
    page.wait_for_url("**/console/**")
    return page


@pytest.mark.timeout(120)
def test_page_survives_the_end_of_its_server(chromium: Browser, gateway: Gateway) -> None:
    code = str(gateway.ran("operator", "setup-code", "--json").json["code"])
    live = signed_in(chromium, gateway, code)
    waiting = live.context.new_page()
    waiting.clock.install()
    waiting.goto(f"{gateway.url}/console/accounts/1")
    waiting.fill("#credential", "half a token")
    live.goto(f"{gateway.url}/console/accounts")
    expect(live.locator("#live-words")).to_contain_text("Live")
    expect(live.locator("#account-row-1")).not_to_contain_text("Paused")

    gateway.kill()
    expect(live.locator("#live-words")).to_contain_text("Reconnecting")
    expect(waiting.locator("#live-words")).to_contain_text("Reconnecting")
    waiting.clock.fast_forward(12_000)
    expect(waiting.locator("#offline")).to_be_visible()
    gateway.run("accounts", "disable", "1")

    gateway.start()
    gateway.wait_until_ready()
    # That it is tried often enough for five seconds is counted in the tests of the stream; a busy machine takes longer.
    expect(live.locator("#account-row-1")).to_contain_text("Paused")
    expect(waiting.locator("#offline")).to_be_hidden()
    expect(waiting.locator("#credential")).to_have_value("half a token")
    live.context.close()


def test_one_request_that_got_lost_leaves_no_page_reconnecting(context: Any, demo: Demo) -> None:
    page = context.new_page()
    page.goto(f"{demo.base}/console/accounts")
    expect(page.locator("#live-words")).to_contain_text("Live")
    page.route("**/console/accounts?*", lambda route: route.abort())
    page.fill("#account-q", "lost on the way")
    expect(page.locator("#offline")).to_be_visible()
    page.unroute_all()

    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator("#live-words")).to_contain_text("Live")


def test_form_is_not_sent_where_nobody_takes_it_and_keeps_what_was_typed(context: Any, demo: Demo) -> None:
    page = context.new_page()
    page.goto(f"{demo.base}/console/accounts/add")
    page.fill("#name", "typed before the line was cut")
    context.set_offline(True)
    page.get_by_role("button", name="Test and add").click()
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("#name")).to_have_value("typed before the line was cut")

    context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    page.get_by_role("button", name="Test and add").click()
    expect(page.get_by_role("alert").first).to_contain_text("Not saved")
    expect(page.locator("#name")).to_have_value("typed before the line was cut")


def test_field_that_is_wrong_is_in_sight_and_has_the_focus(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console/accounts/1")
    page.fill("#confirm", "another name")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#confirm-bad")).to_be_in_viewport()
    expect(page.locator("#confirm")).to_be_focused()


def test_what_is_pressed_twice_is_sent_once(page: Page, demo: Demo) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto(f"{demo.base}/console/playground")
    page.fill("#prompt", "one harbour and not two")
    button = page.get_by_role("button", name="Make the picture")
    button.evaluate(
        "(button) => { button.click(); setTimeout(() => button.click(), 5); setTimeout(() => button.click(), 60); }"
    )
    page.wait_for_url("**run=**")
    assert len(sent) == 1


def test_hidden_tab_holds_no_stream(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console")
    expect(page.locator("#live-words")).to_contain_text("Live")
    ended: list[str] = []
    for event in ("requestfinished", "requestfailed"):
        page.on(event, lambda request: ended.append(request.url))
    page.evaluate(HIDE, True)
    for _ in range(200):
        if any("/console/events" in url for url in ended):
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the stream of a hidden tab goes on")
    with page.expect_request("**/console/events*"):
        page.evaluate(HIDE, False)
