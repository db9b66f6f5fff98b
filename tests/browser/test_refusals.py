"""Pages that say no: what was typed is kept, what is wrong stands beside it, and anybody can read and mend it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import WATCH, Demo, Stock, sign_in
from tests.browser.looks import Look, assert_for_everybody, in_looks, put_on

# Sent as it stands: a browser that checks the fields itself would never let the server say anything.
SEND = """([action, values]) => {
  const form = document.querySelector(`form[action='${action}'], form[action^='${action}#']`);
  for (const [name, value] of Object.entries(values)) {
    const fields = [...form.querySelectorAll(`[name='${name}']:not(button)`)];
    if (fields.length && fields[0].type === 'select-one') fields[0].add(new Option(value, value, true, true));
    else if (fields.length) Object.assign(fields[0], fields[0].type === 'textarea' ? { value } : { type: 'text', value });
    else form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
  }
  window.__isSent = true;
  HTMLFormElement.prototype.submit.call(form);
}"""


@dataclass(frozen=True)
class Refused:
    """A form that cannot be taken as it was filled in."""

    name: str
    path: str
    action: str
    values: dict[str, str] = field(default_factory=dict, hash=False)
    status: int = 422

    def __str__(self) -> str:
        return self.name


LONG = "x" * 5000
WORDS = "a calm tin whistle"
REFUSED = [
    Refused("add", "/console/accounts/add", "/console/accounts/add", {"name": LONG, "image_slots": "many"}),
    Refused("add-other", "/console/accounts/add?upstream=openai", "/console/accounts/add", {"base_url": "nowhere"}),
    Refused("import", "/console/accounts/import", "/console/accounts/import"),
    Refused("export", "/console/accounts/export", "/console/accounts/export"),
    Refused("credential", "/console/accounts/1", "/console/accounts/1/credential", {"credential": "none"}),
    Refused("account", "/console/accounts/1", "/console/accounts/1/settings", {"image": "-3", "weight": "-7"}),
    Refused("account-stale", "/console/accounts/1", "/console/accounts/1/settings", {"was_weight": "7"}, 409),
    Refused("delete", "/console/accounts/1", "/console/accounts/1/delete", {"confirm": "another"}),
    Refused("key", "/console/keys/create", "/console/keys/create", {"name": LONG}),
    Refused("key-change", "/console/keys/1", "/console/keys/1", {"name": ""}),
    Refused("key-stale", "/console/keys/1", "/console/keys/1", {"was_name": "as it was"}, 409),
    Refused("prompt", "/console/playground", "/console/playground"),
    Refused("clear", "/console/requests/clear", "/console/requests/clear"),
    Refused("option", "/console/settings", "/console/settings/balancing", {"pictures_per_call": "lots"}),
    Refused(
        "option-stale",
        "/console/settings/records",
        "/console/settings/records",
        {"step": "save", "was.time_zone": "Asia/Tokyo", "time_zone": "Europe/Berlin"},
        409,
    ),
    Refused(
        "option-review",
        "/console/settings/records",
        "/console/settings/records",
        {"step": "review", "time_zone": "Europe/Berlin"},
        200,
    ),
    Refused("proxy", "/console/settings/proxies", "/console/proxies/add", {"urls": "nowhere\nftp://127.0.0.1"}),
    Refused("proxy-option", "/console/settings/proxies", "/console/settings/proxies", {"proxy": "nowhere"}),
    Refused("target", "/console/settings/notifications", "/console/notify-targets/add", {"target_url": "nowhere"}),
    Refused("webhook", "/console/settings/notifications", "/console/webhooks/add", {"hook_url": "nowhere"}),
    Refused("operator", "/console/settings/operators", "/console/operators/add", {"passphrase": "short"}),
    Refused("replay", "/console/replay", "/console/replay", {"day": "2199-01-01"}),
    Refused("passphrase", "/console/you", "/console/you/passphrase", {"passphrase": "short", "again": "other"}),
    Refused("drain", "/console/system", "/console/system/drain", {"confirm": "another"}),
    Refused("connect-key", "/console/connect", "/console/connect/keys", {"name": LONG}),
    Refused("form-of-another", "/console/keys/create", "/console/keys/create", {"_csrf": "0" * 64}, 403),
]


def send(page: Page, action: str, values: dict[str, str]) -> int:
    """Send one of the forms on a page, and wait for the page that answers; its status."""
    with page.expect_response(lambda got: got.request.method == "POST") as answer:
        page.evaluate(SEND, [action, values])
    page.wait_for_function("!window.__isSent")
    page.wait_for_load_state("load")
    return answer.value.status


@pytest.mark.parametrize(("refused", "look"), in_looks(REFUSED, 1))
def test_page_that_refuses_is_for_everybody(tab: Page, demo: Demo, refused: Refused, look: Look) -> None:
    put_on(tab, look)
    tab.goto(demo.base + refused.path)
    assert send(tab, refused.action, refused.values) == refused.status
    if refused.status == 422:
        assert tab.locator("[aria-invalid=true], [role=alert]").count() > 0
    assert_for_everybody(tab, f"refused-{refused}", look)


VIEWED = [
    "/console",
    "/console/accounts",
    "/console/accounts/1",
    "/console/generations/{failed}",
    "/console/generations/gallery",
    "/console/keys",
    "/console/keys/1",
    "/console/models",
    "/console/settings",
    "/console/settings/proxies",
    "/console/settings/operators",
    "/console/system",
    "/console/plugins",
    "/console/playground",
    "/console/accounts/add",
    "/console/accounts/export",
    "/console/requests/clear",
]
"""The last of them he may not even see."""


@pytest.fixture(scope="module")
def viewer(chromium: Browser, demo: Demo, session_state: Any) -> Any:
    """The cookies of somebody who may look and nothing else."""
    owners = chromium.new_context(storage_state=session_state)
    page = owners.new_page()
    page.goto(f"{demo.base}/console/settings/operators")
    values = {"name": "viewer", "role": "viewer", "passphrase": WORDS, "again": WORDS, "own": demo.passphrase}
    send(page, "/console/operators/add", values)
    owners.close()
    context = chromium.new_context()
    sign_in(context.new_page(), Demo(demo.base, "", "viewer", WORDS, ""))
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="module")
def viewers_tab(chromium: Browser, viewer: Any) -> Iterator[Page]:
    context = chromium.new_context(storage_state=viewer)
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("path", "look"), in_looks(VIEWED, 1))
def test_page_without_its_buttons_is_for_everybody(
    viewers_tab: Page, demo: Demo, stock: Stock, path: str, look: Look
) -> None:
    put_on(viewers_tab, look)
    viewers_tab.goto(demo.base + stock.path(path))
    assert_for_everybody(viewers_tab, f"viewer-{path.strip('/')}", look)
