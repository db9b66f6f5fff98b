"""Only names that the operator has given lead here, and addresses, which no page can be loaded under unseen."""

import pytest

from flow2api.domain.allowed_hosts import EVERY_HOST, host_names, is_allowed_host

ALLOWED = host_names(["Pool.Example.org", "gateway:8000", "dotted.example."])


@pytest.mark.parametrize(
    "header",
    [
        "localhost",
        "LOCALHOST:8000",
        "localhost.",
        "127.0.0.1:8000",
        "127.9.9.9",
        "[::1]:8000",
        "192.168.1.20:8000",
        "[fd00::1]",
        "pool.example.org",
        "POOL.example.ORG:443",
        "pool.example.org.",
        "gateway",
        "gateway:9000",
        "dotted.example",
    ],
)
def test_known_names_and_addresses_are_allowed(header: str) -> None:
    assert is_allowed_host(header, ALLOWED)


@pytest.mark.parametrize(
    "header",
    [
        "",
        ":8000",
        "evil.test",
        "evil.test:8000",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "pool.example.org.evil.test",
        "xpool.example.org",
        "pool.example.org/path",
        "evil.test/?#",
        "pool.example.org, evil.test",
        "pool.example.org@evil.test",
        "pool.example.org:port",
        "2130706433",
        "0x7f.1",
        "[::1",
        "*",
        "\uff4cocalhost",
        "x" * 300,
    ],
)
def test_everything_else_is_not(header: str) -> None:
    assert not is_allowed_host(header, ALLOWED)


def test_star_allows_every_name_but_no_nonsense() -> None:
    every = host_names([EVERY_HOST, "a.example"])

    assert is_allowed_host("evil.test:8000", every)
    assert not is_allowed_host("a/b?", every)


def test_names_are_compared_in_one_form_and_nonsense_is_left_out() -> None:
    assert host_names([" A.example:80 ", "a.example.", "", "[::1]:80", "a/b"]) == {"a.example", "::1"}
