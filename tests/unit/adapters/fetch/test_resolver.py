import asyncio
import socket
from ipaddress import ip_address

import pytest

from flow2api.adapters.fetch.resolver import resolve


async def test_gives_the_addresses_of_the_system() -> None:
    addresses = await resolve("localhost")

    assert addresses
    assert all(address.is_loopback for address in addresses)


async def test_gives_each_address_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(*_args: object, **_options: object) -> object:
        texts = ["2606:4700::1", "1.1.1.1", "2606:4700::1", "fe80::1%2"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 443)) for text in texts]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)

    assert await resolve("pictures.example") == tuple(map(ip_address, ["2606:4700::1", "1.1.1.1", "fe80::1%2"]))


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_NONAME, "unknown"), UnicodeError("label too long")])
async def test_a_name_that_does_not_exist_has_none(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def missing(*_args: object, **_options: object) -> object:
        raise error

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", missing)

    assert await resolve("missing.example") == ()
