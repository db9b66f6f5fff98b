"""Which pages are compressed."""

import gzip

import pytest

from flow2api.adapters.console.compression import compressed

PAGE = "<p>a long page</p>" * 100


@pytest.mark.parametrize("site", [None, "none", "same-origin"])
def test_page_that_the_visitor_asked_for_is_compressed(site: str | None) -> None:
    headers = {"accept-encoding": "gzip, br"} | ({"sec-fetch-site": site} if site else {})
    body = compressed(PAGE, headers)
    assert body is not None
    assert gzip.decompress(body).decode() == PAGE
    assert len(body) < len(PAGE) / 4


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_page_that_another_site_asked_for_keeps_its_length(site: str) -> None:
    assert compressed(PAGE, {"accept-encoding": "gzip", "sec-fetch-site": site}) is None


def test_page_is_sent_as_it_is_to_who_reads_nothing_else_and_when_it_is_short() -> None:
    assert compressed(PAGE, {}) is None
    assert compressed("<p>short</p>", {"accept-encoding": "gzip"}) is None
