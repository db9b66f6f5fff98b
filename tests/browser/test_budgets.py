"""What pages may weigh, and how calmly they come."""

import gzip
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Demo, Stock

FIRST_VISIT_BYTES, FIRST_VISIT_REQUESTS = 60 * 1024, 10
REPEAT_VISIT_BYTES = 12 * 1024
SCRIPT_BYTES, STYLE_BYTES = 25 * 1024, 12 * 1024
LARGEST_SHIFT = 0.02
BUSY_S = 0.5
"""How long a page computes until it stands still, by the clock of its own thread: other programs cost it nothing."""

PAGES = [
    "/console",
    "/console/accounts",
    "/console/generations",
    "/console/playground",
    "/console/keys",
    "/console/models",
    "/console/requests",
    "/console/connect",
    "/console/settings",
    "/console/audit",
]

NOTE = """
window.__shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((e) => { if (!e.hadRecentInput) window.__shift += e.value; }))
  .observe({ type: 'layout-shift', buffered: true });
"""

WEIGH = """() => {
  const made = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter((e) => !e.name.includes('/console/events'));
  return made.map((e) => [e.name, e.transferSize]);
}"""


def visit(browser: Browser, state: Any, address: str) -> tuple[list[Any], list[Any], float, float]:
    """What came at the first visit and at the next; how far things moved and how long the page computed."""
    context = browser.new_context(storage_state=state, viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.add_init_script(NOTE)
    page = context.new_page()
    watching = context.new_cdp_session(page)
    watching.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(address)
    page.wait_for_load_state("load")
    first = page.evaluate(WEIGH)
    page.wait_for_timeout(300)
    shift = page.evaluate("window.__shift")
    busy_s = {one["name"]: one["value"] for one in watching.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
    page.goto(address)
    page.wait_for_load_state("load")
    again = page.evaluate(WEIGH)
    context.close()
    return first, again, shift, busy_s


@pytest.mark.parametrize("path", PAGES)
def test_page_is_light_and_calm(chromium: Browser, session_state: Any, demo: Demo, stock: Stock, path: str) -> None:
    first, again, shift, busy_s = visit(chromium, session_state, demo.base + path)
    own = [(name, size) for name, size in first if "/preview" not in name]
    assert sum(size for _, size in own) <= FIRST_VISIT_BYTES, first
    assert len(own) <= FIRST_VISIT_REQUESTS, first
    assert sum(size for name, size in again if "/preview" not in name) <= REPEAT_VISIT_BYTES, again
    assert shift <= LARGEST_SHIFT
    assert 0 < busy_s <= BUSY_S


def test_script_and_style_sheet_are_small(tab: Any, demo: Demo) -> None:
    tab.goto(f"{demo.base}/console")
    for selector, attribute, most in (("script", "src", SCRIPT_BYTES), ("link[rel=stylesheet]", "href", STYLE_BYTES)):
        address = tab.locator(selector).first.get_attribute(attribute)
        assert len(gzip.compress(tab.request.get(demo.base + address).body(), 9)) <= most
