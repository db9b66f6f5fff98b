"""Windows, letters and papers of every size: nothing is cut off and nothing has to be scrolled sideways."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Stock
from tests.browser.looks import Look, keep_picture, put_on
from tests.browser.test_frame import PAGES

PLAIN = Look("light", 1440, "en-GB")
WINDOWS = {
    "reflow": (320, 256),
    "phone": (390, 844),
    "zoomed": (720, 450),
    "upright": (768, 1024),
    "tablet": (1024, 768),
    "large": (2560, 1440),
}
"""At a zoom of 200 % a page of 1,440 pixels has 720 of its own, and at 400 % it is down to 320 by 256."""
WIDEST_CONTENT = 1440
"""Lines do not get longer than somebody can follow, however wide the screen is."""

# Other languages need up to two fifths more room than English.
LENGTHEN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    if (!text.data.trim() || text.parentElement.closest('script, style, code, pre, kbd, .mono, time, h1')) continue;
    text.data = text.data.replace(/[a-z]{2,}/gi, (word) => word + 'åéîøü'.repeat(9).slice(0, Math.round(word.length * 0.4)));
  }
}"""

# What reaches over the edge of a box that hides it, unless that box says so by an ellipsis.
CUT_OFF = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (walker.nextNode()) {
    const text = walker.currentNode, parent = text.parentElement;
    if (!text.data.trim() || parent.closest('script, style, svg, select, textarea, .vh, .skip')) continue;
    if (!parent.checkVisibility({ visibilityProperty: true })) continue;
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    for (let at = parent; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at), edge = at.getBoundingClientRect();
      if (style.position === 'absolute' && edge.width <= 1) break;
      if (/auto|scroll/.test(style.overflowX + style.overflowY)) break;
      if (style.overflowX === 'visible') continue;
      if (style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none') break;
      if (box.right > edge.right + 1 || box.left < edge.left - 1 || box.bottom > edge.bottom + 1 || box.top < edge.top - 1) {
        found.push(at.outerHTML.slice(0, 120) + ': ' + text.data.trim().slice(0, 60));
        break;
      }
    }
  }
  return found;
}"""

# What makes a page wider than its window.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [
  `${document.documentElement.scrollWidth} pixels`, ...[...document.querySelectorAll('body *')]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
  .filter((one) => { while ((one = one.parentElement)) if (getComputedStyle(one).overflowX !== 'visible') return false; return true; })
  .map((one) => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 160))]"""

# Words that stand on other words, or stick out of their button.
STICKS_OUT = """() => [...document.querySelectorAll('.btn, .pill, .tag, .chip, .seg label, .seg a, .facets a, .tabs a, .kpi, .nav a, thead th')]
  .filter((one) => one.checkVisibility() && getComputedStyle(one).overflowX === 'visible' && one.scrollWidth > one.clientWidth + 2)
  .map((one) => one.outerHTML.slice(0, 160))"""


# Rows that are drawn as cards on a phone: none is wider than its list, and no row's name stands on what is beside it.
CARDS = """() => [...document.querySelectorAll('.tbl.cards')]
  .filter((one) => getComputedStyle(one.querySelector('table')).display === 'block')
  .flatMap((one) => [...(one.scrollWidth > one.clientWidth + 1 ? [one] : []),
    ...[...one.querySelectorAll('tbody th')].filter((name) => name.checkVisibility() && name.scrollWidth > name.clientWidth + 2)])
  .map((one) => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 160))"""


@pytest.fixture
def plain(tab: Page) -> Page:
    put_on(tab, PLAIN)
    return tab


@pytest.mark.parametrize("path", PAGES)
def test_page_fits_every_window(plain: Page, demo: Demo, stock: Stock, path: str) -> None:
    plain.goto(demo.base + stock.path(path))
    for words in ("", LENGTHEN):
        if words:
            plain.evaluate(words)
        for name, (width, height) in WINDOWS.items():
            plain.set_viewport_size({"width": width, "height": height})
            assert plain.evaluate(TOO_WIDE) == [], (name, bool(words))
            assert plain.evaluate(CUT_OFF) == [], (name, bool(words))
            assert plain.evaluate(STICKS_OUT) == [], (name, bool(words))
            if name == "phone":
                assert plain.evaluate(CARDS) == [], bool(words)
    assert plain.evaluate("document.querySelector('main.main')?.offsetWidth ?? 0") <= WIDEST_CONTENT


@pytest.mark.parametrize("path", ["/console", "/console/accounts", "/console/settings", "/console/generations/{video}"])
def test_page_is_drawn_on_large_screens_and_small_ones(plain: Page, demo: Demo, stock: Stock, path: str) -> None:
    for width, height in (WINDOWS["reflow"], WINDOWS["large"]):
        plain.set_viewport_size({"width": width, "height": height})
        plain.goto(demo.base + stock.path(path))
        keep_picture(plain, f"{path.strip('/')}-{width}")
    assert plain.locator("h1").first.is_visible()


def test_nothing_moves_for_who_wants_it_still(plain: Page, demo: Demo) -> None:
    moving = "document.getAnimations({ subtree: true }).length"
    plain.emulate_media(reduced_motion="no-preference")
    plain.goto(f"{demo.base}/console")
    expect(plain.locator(".live .dot")).to_be_visible()
    assert plain.evaluate(moving) > 0
    plain.emulate_media(reduced_motion="reduce")
    assert plain.evaluate(moving) == 0
    plain.emulate_media(reduced_motion="null")


@pytest.mark.parametrize("path", ["/console", "/console/requests", "/console/audit", "/console/settings"])
def test_page_is_printed_dark_on_white_and_whole(plain: Page, demo: Demo, stock: Stock, path: str) -> None:
    plain.set_viewport_size({"width": 720, "height": 1000})
    plain.emulate_media(color_scheme="dark", media="print")
    plain.goto(demo.base + path)
    for frame in (".side", ".top", ".bottom", ".toasts"):
        expect(plain.locator(frame)).to_be_hidden()
    assert plain.locator("h1").first.is_visible()
    assert plain.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert plain.evaluate("document.documentElement.scrollWidth") <= 720
    wide = "[...document.querySelectorAll('main .tbl')].filter((one) => one.scrollWidth > one.clientWidth + 1).length"
    assert plain.evaluate(wide) == 0
    keep_picture(plain, f"{path.strip('/')}-print")
    plain.emulate_media(media="null")
