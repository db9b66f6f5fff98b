"""From an empty server to a first picture, without reading anything."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WATCH, Seen
from tests.e2e.processes import Gateway, Simulator

PASSPHRASE = "quiet maple river lamp"
EMPTY = [
    "/console",
    "/console/accounts",
    "/console/accounts/export",
    "/console/generations",
    "/console/generations/gallery",
    "/console/keys",
    "/console/models",
    "/console/playground",
    "/console/requests",
    "/console/connect",
    "/console/audit",
]
WIDTH = 390
AXE = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


class EmptyGateway(Gateway):
    """A server without an account, a key and anybody who may sign in."""

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_ready()
        return self


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    options = {"picture_s": 0.1, "media": "small"}
    with (
        Simulator(tmp_path, options, [{"email": "one@example.com"}]) as simulator,
        EmptyGateway(tmp_path, simulator) as running,
    ):
        yield running


@pytest.mark.timeout(120)
def test_newcomer_gets_from_an_empty_server_to_a_first_picture(chromium: Browser, gateway: Gateway, seen: Seen) -> None:
    context = chromium.new_context(locale="en-GB")
    context.add_init_script(WATCH)
    page = context.new_page()
    seen.watch(page)

    told = re.search(r"/setup with this code, good for 15 minutes: (\S+)", gateway.output())
    assert told, gateway.output()
    page.goto(f"{gateway.url}/setup")
    fill_in(page, "wrong-code")
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.locator("#name")).to_have_value("owner")
    fill_in(page, told[1])
    page.wait_for_url("**/console/first-steps")
    closed = page.request.get(f"{gateway.url}/setup")
    assert closed.status == 404

    look_at_empty_pages(page, gateway)

    page.goto(f"{gateway.url}/console/first-steps")
    page.get_by_role("link", name="Add your first account").click()
    page.fill("#session_token", gateway.simulator.ready["accounts"][0]["session_token"])
    page.get_by_role("button", name="Test and add").click()
    expect(page.locator("#toasts .toast.ok")).to_be_visible(timeout=20_000)

    page.goto(f"{gateway.url}/console/first-steps")
    page.get_by_role("link", name="Create an API key").click()
    page.get_by_role("button", name="Create key").click()
    expect(page.locator("#key-text")).to_contain_text("f2a_")

    page.goto(f"{gateway.url}/console/first-steps")
    page.get_by_role("link", name="Try a prompt").click()
    page.fill("#prompt", "a lighthouse at dawn")
    page.get_by_role("button", name="Make the picture").click()
    picture = page.locator("#run .player img")
    expect(picture).to_be_visible(timeout=20_000)
    assert page.evaluate("window.__violations") == []
    context.close()


def fill_in(page: Page, code: str) -> None:
    """The form of the setup, and send it."""
    page.fill("#code", code)
    page.fill("#name", "owner")
    page.fill("#passphrase", PASSPHRASE)
    page.fill("#again", PASSPHRASE)
    page.get_by_role("button", name="Become the owner").click()


def look_at_empty_pages(page: Page, gateway: Gateway) -> None:
    """Pages that have nothing to show are for everybody, too."""
    page.set_viewport_size({"width": WIDTH, "height": 900})
    for path in EMPTY:
        answer = page.goto(gateway.url + path)
        assert answer is not None
        assert answer.status == 200, path
        found = Axe().run(page, options=AXE).response["violations"]
        assert [(path, one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, path
    page.set_viewport_size({"width": 1440, "height": 900})
