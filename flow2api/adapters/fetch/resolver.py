"""From a host's name to its addresses."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from flow2api.adapters.fetch.addresses import Address

Resolver = Callable[[str], Awaitable[Sequence[Address]]]
"""Gives all addresses of a host, or none when it has none."""


async def resolve(host: str) -> Sequence[Address]:
    """The addresses by the system's resolver, in its order."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, 443, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
