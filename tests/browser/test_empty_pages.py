"""A server that has nothing to show yet: its setup, its door, and its pages."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import WATCH, Seen
from tests.browser.empty_server import EmptyGateway, fill_in, simulator_in
from tests.browser.looks import Look, assert_for_everybody, in_looks, put_on

PAGES = [
    "/console",
    "/console?span=30d",
    "/console/first-steps",
    "/console/accounts",
    "/console/accounts/export",
    "/console/generations",
    "/console/generations?state=failed",
    "/console/generations/gallery",
    "/console/keys",
    "/console/models",
    "/console/models/one?name=gemini-3.0-pro-image",
    "/console/models/routes",
    "/console/playground",
    "/console/requests",
    "/console/requests/clear",
    "/console/connect",
    "/console/settings",
    "/console/settings/proxies",
    "/console/settings/notifications",
    "/console/settings/operators",
    "/console/replay",
    "/console/plugins",
    "/console/system",
    "/console/audit?q=nothing",
    "/console/you",
    "/console/search?q=nothing",
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmptyGateway]:
    folder = tmp_path_factory.mktemp("empty")
    with simulator_in(folder) as simulator, EmptyGateway(folder, simulator) as running:
        yield running


@pytest.fixture(scope="module")
def newborn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmptyGateway]:
    """One that nobody sets up: after some wrong codes it takes none for a while."""
    folder = tmp_path_factory.mktemp("newborn")
    with simulator_in(folder) as simulator, EmptyGateway(folder, simulator) as running:
        yield running


@pytest.fixture(scope="module")
def owner(chromium: Browser, gateway: EmptyGateway) -> Any:
    """The cookies of the first owner."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{gateway.url}/setup")
    fill_in(page, gateway.setup_code())
    page.wait_for_url("**/console/first-steps")
    page.goto(f"{gateway.url}/console/you")
    page.select_option("#language", "")  # the pages are in the language of the browser, not in the one of the setup
    page.locator("form[action='/console/you/preferences'] button:has-text('Save')").click()
    page.get_by_role("status").filter(has_text="as you like it now").wait_for()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="module")
def one_tab(chromium: Browser, owner: Any) -> Iterator[tuple[Page, Seen]]:
    context = chromium.new_context(storage_state=owner)
    context.add_init_script(WATCH)
    page, noted = context.new_page(), Seen()
    noted.watch(page)
    yield page, noted
    context.close()


@pytest.fixture
def stranger(chromium: Browser) -> Iterator[Page]:
    """A tab of somebody who is not signed in."""
    context = chromium.new_context()
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("path", "look"), in_looks(["/setup"]))
def test_setup_is_for_everybody(stranger: Page, newborn: EmptyGateway, path: str, look: Look) -> None:
    put_on(stranger, look)
    stranger.goto(newborn.url + path)
    assert_for_everybody(stranger, "empty-setup", look)
    fill_in(stranger, "wrong-code")
    stranger.get_by_role("alert").first.wait_for()
    assert_for_everybody(stranger, "refused-setup", look)


@pytest.mark.parametrize(("path", "look"), in_looks(PAGES, 1))
def test_page_with_nothing_on_it_is_for_everybody(tab: Page, gateway: EmptyGateway, path: str, look: Look) -> None:
    put_on(tab, look)
    answer = tab.goto(gateway.url + path)
    assert answer is not None
    assert answer.status == 200
    assert tab.locator("html").get_attribute("lang") == {"zh": "zh-Hans", "en": "en"}[look.language[:2]]
    assert_for_everybody(tab, f"empty-{path.strip('/')}", look)


@pytest.mark.parametrize(("path", "look"), in_looks(["/login"]))
def test_door_is_for_everybody(stranger: Page, gateway: EmptyGateway, owner: Any, path: str, look: Look) -> None:
    put_on(stranger, look)
    stranger.goto(gateway.url + path)
    assert_for_everybody(stranger, "door", look)
    stranger.fill("#name", "nobody")
    stranger.fill("#passphrase", "wrong")
    stranger.click("button.pri")
    stranger.get_by_role("alert").first.wait_for()
    assert_for_everybody(stranger, "refused-door", look)


@pytest.mark.parametrize(("path", "look"), in_looks(["/nowhere", "/console/looks"]))
def test_page_that_is_not_there_is_for_everybody(
    stranger: Page, gateway: EmptyGateway, owner: Any, path: str, look: Look
) -> None:
    put_on(stranger, look)
    stranger.goto(gateway.url + path)
    assert_for_everybody(stranger, f"missing-{path.strip('/')}", look)
