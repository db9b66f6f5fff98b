"""Where a request came from, as far as that can be believed."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

_LONGEST_CHAIN = 16


def client_address(scope: Any, trusted: tuple[str, ...]) -> str:
    """The address of whoever asks; empty when nobody knows.

    ``X-Forwarded-For`` counts only from trusted proxies, and is read from its end: what stands in front of the first
    address that no trusted proxy has is the client's own invention.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    if not _is_trusted(peer, trusted):
        return str(peer)
    found = peer
    for hop in reversed(_forwarded(scope)):
        if _parsed(hop) is None:
            break
        found = hop
        if not _is_trusted(hop, trusted):
            break
    return str(found)


def _forwarded(scope: Any) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(values).split(",")][-_LONGEST_CHAIN:]


def _is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in _networks(trusted))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(entry, strict=False) for entry in trusted)
