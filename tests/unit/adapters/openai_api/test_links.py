"""Absolute addresses that the caller can reach."""

from typing import Any

import pytest

from flow2api.adapters.openai_api.links import base_url, came_by, reached_url
from flow2api.domain.options import Options
from tests.fakes.use_cases import FakeDoors

FAR = "203.0.113.9"
GLOBAL = "8.8.8.8"


def scope(host: str | None = "gw.example:8000", client: str | None = FAR, **headers: str) -> dict[str, Any]:
    given = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {
        "scheme": "http",
        "client": (client, 1) if client else None,
        "server": ("192.0.2.7", 8000),
        "headers": [(name.encode(), value.encode()) for name, value in given.items() if value is not None],
    }


def test_the_configured_address_comes_first() -> None:
    doors = FakeDoors().doors(public_url="https://pub.example/base/", trusted_proxies=(FAR,))
    assert base_url(doors, scope(x_forwarded_host="proxy.example")) == "https://pub.example/base"


def test_option_for_media_comes_before_all_and_is_for_media_alone() -> None:
    options = Options(media_base_url="https://media.example.org/files/")
    doors = FakeDoors().doors(public_url="https://pub.example", options=lambda: options)

    assert base_url(doors, scope()) == "https://media.example.org/files"
    assert reached_url(doors, scope()) == "https://pub.example"


@pytest.mark.parametrize("trusted", [(FAR,), ("203.0.113.0/24",), ("2001:db8::/32", FAR)])
def test_a_trusted_proxy_is_believed(trusted: tuple[str, ...]) -> None:
    doors = FakeDoors().doors(trusted_proxies=trusted)
    asked = scope(x_forwarded_host="pub.example, inner", x_forwarded_proto="https,http")
    assert base_url(doors, asked) == "https://pub.example"


def test_a_stranger_is_not_believed() -> None:
    asked = scope(x_forwarded_host="evil.example", x_forwarded_proto="https", x_forwarded_for="1.2.3.4")
    assert base_url(FakeDoors().doors(), asked) == "http://gw.example:8000"
    assert base_url(FakeDoors().doors(trusted_proxies=("10.0.0.0/8",)), asked) == "http://gw.example:8000"


@pytest.mark.parametrize("hostile", ["evil.example/path", "a b", "a@b", 'x"y', "http://x", "?", "[::1", "a:b:c"])
def test_a_hostile_forwarded_host_is_not_used(hostile: str) -> None:
    doors = FakeDoors().doors(trusted_proxies=(FAR,))
    assert base_url(doors, scope(x_forwarded_host=hostile)) == "http://192.0.2.7:8000"


@pytest.mark.parametrize(
    ("host", "client", "base"),
    [
        ("gw.example", FAR, "http://gw.example"),
        ("localhost:8000", "127.0.0.1", "http://localhost:8000"),
        ("localhost:8000", "172.17.0.1", "http://localhost:8000"),
        ("localhost:8000", GLOBAL, "http://192.0.2.7:8000"),
        ("127.0.0.1:8000", GLOBAL, "http://192.0.2.7:8000"),
        ("0.0.0.0:8000", "127.0.0.1", "http://192.0.2.7:8000"),
        ("[::]:8000", FAR, "http://192.0.2.7:8000"),
        ("[2001:db8::1]:8000", FAR, "http://[2001:db8::1]:8000"),
        (None, FAR, "http://192.0.2.7:8000"),
        ("", None, "http://192.0.2.7:8000"),
    ],
)
def test_a_host_that_cannot_be_right_is_replaced(host: str | None, client: str | None, base: str) -> None:
    assert base_url(FakeDoors().doors(), scope(host, client)) == base


@pytest.mark.parametrize(
    ("server", "base"),
    [
        (("0.0.0.0", 8000), "http://127.0.0.1:8000"),
        (("2001:db8::7", 8000), "http://[2001:db8::7]:8000"),
        (("192.0.2.7", 80), "http://192.0.2.7"),
        (None, "http://127.0.0.1"),
    ],
)
def test_the_address_that_the_connection_came_in_on(server: tuple[str, int] | None, base: str) -> None:
    assert base_url(FakeDoors().doors(), scope("0.0.0.0") | {"server": server}) == base


@pytest.mark.parametrize(
    ("host", "headers", "came"),
    [
        ("pub.example", {}, "https://pub.example"),
        ("PUB.example:443", {}, "https://PUB.example:443"),
        ("pub.example:8000", {}, "http://pub.example:8000"),
        ("192.0.2.7:8000", {}, "http://192.0.2.7:8000"),
        ("pub.example.evil.test", {}, "http://pub.example.evil.test"),
        (None, {}, "http://192.0.2.7:8000"),
        ("192.0.2.7", {"x_forwarded_proto": "https", "client": "10.1.2.3"}, "https://192.0.2.7"),
        ("pub.example", {"x_forwarded_proto": "http", "client": "10.1.2.3"}, "http://pub.example"),
        ("192.0.2.7", {"x_forwarded_proto": "https"}, "http://192.0.2.7"),
    ],
)
def test_configured_address_says_only_of_its_own_host_that_it_was_reached_over_tls(
    host: str | None, headers: dict[str, str], came: str
) -> None:
    doors = FakeDoors().doors(public_url="https://pub.example/base", trusted_proxies=("10.0.0.0/8",))
    assert came_by(doors, scope(host, **headers)) == came
