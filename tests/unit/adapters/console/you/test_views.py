"""How sessions and secrets are shown."""

import re

import pytest

from flow2api.adapters.console.you.views import browser_words, grouped, qr_code
from flow2api.domain.secret import Secret


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iOS"),
        ("curl/8.9", "curl"),
        ("a client of one's own that says a great deal about itself", "a client of one's own that says "),
        ("", ""),
    ],
)
def test_browser_is_named_as_people_would(agent: str, words: str) -> None:
    assert browser_words(agent) == words


def test_picture_holds_no_style_and_nothing_of_its_address_as_text() -> None:
    svg = qr_code(Secret("otpauth://totp/flow2api:ada?secret=ABCDEFGH&issuer=flow2api"))

    assert svg.startswith('<svg role="img" aria-label="')
    assert "viewBox" in svg
    assert not re.search(r"style=|otpauth|ABCDEFGH|<script", svg)


def test_secret_is_typed_in_groups_of_four() -> None:
    assert grouped("ABCDEFGHIJ") == "ABCD EFGH IJ"
