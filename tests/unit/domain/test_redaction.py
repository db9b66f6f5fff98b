"""Secrets by type, by name and by shape."""

from datetime import UTC, datetime
from typing import Any

import pytest

from flow2api.domain.redaction import redact
from flow2api.domain.secret import Secret

CANARY = "canary-0123456789abcdef"


@pytest.mark.parametrize(
    "value",
    [
        Secret(CANARY),
        {"access_token": CANARY},
        {"Cookie": CANARY},
        {"x": {"api-key": CANARY, "PASSWORD": CANARY, "st": CANARY, "client_secret": CANARY}},
        {"token": [CANARY]},
        {"proxy_url": CANARY},
        [f"Authorization: Bearer {CANARY}"],
        f"f2a_{CANARY}",
        f"ya29.{CANARY}",
        "eyJhbGciOiJkaXIiLCJlbmM." + CANARY,
        f"__Secure-next-auth.session-token={CANARY}; Path=/",
        f"socks5://{CANARY}:{CANARY}@proxy.example:1080",
        f"https://media.example/x?sig={CANARY}&key={CANARY}",
        {f"f2a_{CANARY}": 1},
        ({CANARY.encode()},),
        ValueError(f"refused Bearer {CANARY}"),
    ],
)
def test_secret_is_hidden(value: Any) -> None:
    assert CANARY not in repr(redact(value))


def test_rest_stays_readable() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    value = {"status": 401, "ok": True, "none": None, "at": now, "said": "a proxy at https://proxy.example", "n": [1.5]}

    assert redact(value) == value
    assert redact("socks5://user:word@proxy.example:1") == "socks5://***@proxy.example:1"
    assert redact("Bearer abcdefgh1234 was refused") == "Bearer *** was refused"
    assert redact(b"12345") == "<5 bytes>"
    assert redact({"token": None, "secret": "", "password": False}) == {"token": None, "secret": "", "password": False}


def test_depth_is_bounded() -> None:
    value: Any = "deep"
    for _ in range(2000):
        value = [value]

    assert "..." in repr(redact(value))
