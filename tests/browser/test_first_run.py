"""From an empty server to a first picture, without reading anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import WATCH, Seen
from tests.browser.empty_server import EmptyGateway, fill_in, simulator_in


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[EmptyGateway]:
    with simulator_in(tmp_path) as simulator, EmptyGateway(tmp_path, simulator) as running:
        yield running


@pytest.mark.timeout(120)
def test_newcomer_gets_from_an_empty_server_to_a_first_picture(
    chromium: Browser, gateway: EmptyGateway, seen: Seen
) -> None:
    context = chromium.new_context(locale="en-GB")
    context.add_init_script(WATCH)
    page = context.new_page()
    seen.watch(page)

    page.goto(f"{gateway.url}/setup")
    fill_in(page, "wrong-code")
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.locator("#name")).to_have_value("owner")
    fill_in(page, gateway.setup_code())
    page.wait_for_url("**/console/first-steps")
    closed = page.request.get(f"{gateway.url}/setup")
    assert closed.status == 404

    page.goto(f"{gateway.url}/console/playground")
    expect(page.locator("#main")).to_contain_text("Nothing can be made before there is one.")
    page.goto(f"{gateway.url}/console/first-steps")
    page.get_by_role("link", name="Add your first account").click()
    page.fill("#session_token", gateway.simulator.ready["accounts"][0]["session_token"])
    page.get_by_role("button", name="Test and add").click()
    expect(page.locator("#toasts .toast.ok")).to_be_visible()

    page.goto(f"{gateway.url}/console/first-steps")
    page.get_by_role("link", name="Create an API key").click()
    page.get_by_role("button", name="Create key").click()
    expect(page.locator("#key-text")).to_contain_text("f2a_")

    page.goto(f"{gateway.url}/console/first-steps")
    page.get_by_role("link", name="Try a prompt").click()
    expect(page.locator("#main")).not_to_contain_text("Nothing can be made")
    page.fill("#prompt", "a lighthouse at dawn")
    page.get_by_role("button", name="Make the picture").click()
    picture = page.locator("#run .player img")
    expect(picture).to_be_visible()
    assert page.evaluate("window.__violations") == []
    context.close()
