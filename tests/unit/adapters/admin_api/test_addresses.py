from typing import Any

import pytest

from flow2api.adapters.admin_api.addresses import client_address

PROXIES = ("10.0.0.0/8", "2001:db8::/32")


def scope(peer: str | None, *forwarded: str) -> Any:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"client": None if peer is None else (peer, 1234), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.7", (), "192.0.2.7"),
        ("192.0.2.7", ("198.51.100.1",), "192.0.2.7"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9", "198.51.100.1, 10.0.0.2"), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9, nonsense, 10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("nonsense",), "10.0.0.1"),
        ("2001:db8::1", ("2001:0:1::9",), "2001:0:1::9"),
        (None, ("198.51.100.1",), ""),
        ("a unix socket", ("198.51.100.1",), "a unix socket"),
    ],
)
def test_forwarded_addresses_count_only_from_trusted_proxies(
    peer: str | None, forwarded: tuple[str, ...], expected: str
) -> None:
    assert client_address(scope(peer, *forwarded), PROXIES) == expected


def test_without_trusted_proxies_nothing_forwarded_is_believed() -> None:
    assert client_address(scope("127.0.0.1", "198.51.100.1"), ()) == "127.0.0.1"


def test_chain_without_end_is_looked_at_from_its_end() -> None:
    chain = ", ".join(["203.0.113.9"] * 10_000 + ["10.0.0.9"])

    assert client_address(scope("10.0.0.1", chain), PROXIES) == "203.0.113.9"
