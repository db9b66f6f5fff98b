"""Absolute addresses of kept media, as the caller can reach them."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import structlog

from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.headers import header

_log = structlog.get_logger(__name__)

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}

IPAddress = IPv4Address | IPv6Address


def media_url(doors: Doors, scope: Any, media_id: str, lifetime_s: int) -> str:
    """A signed link to a media, good for ``lifetime_s`` seconds."""
    return base_url(doors, scope) + doors.media.link(media_id, lifetime_s)


def base_url(doors: Doors, scope: Any) -> str:
    """Scheme and host that the caller reaches us by, without a slash at the end.

    The option comes first, then the configured address, then the forwarding headers of a trusted proxy, then ``Host``. A ``Host`` that
    cannot be right for this caller (``0.0.0.0``, or ``localhost`` from far away) is replaced by the address that the
    connection came in on.
    """
    configured = doors.options().media_base_url
    return configured.rstrip("/") if configured else reached_url(doors, scope)


def reached_url(doors: Doors, scope: Any) -> str:
    """The same, whatever the option says that links to media begin with."""
    return doors.public_url.rstrip("/") if doors.public_url else came_by(doors, scope)


def came_by(doors: Doors, scope: Any) -> str:
    """Scheme and host by which this request came, whatever address is configured.

    A configured address that is https declares that whoever asks for its host came over TLS, as long as no trusted proxy
    says otherwise.
    """
    peer = _address(scope["client"][0]) if scope.get("client") else None
    scheme, host, is_told = scope.get("scheme", "http"), header(scope, b"host"), False
    if peer is not None and any(peer in network for network in _networks(doors.trusted_proxies)):
        forwarded = (header(scope, b"x-forwarded-proto") or "").split(",")[0].strip().lower()
        scheme, is_told = (forwarded, True) if forwarded in _DEFAULT_PORTS else (scheme, False)
        host = (header(scope, b"x-forwarded-host") or "").split(",")[0].strip() or host
    elif header(scope, b"x-forwarded-for"):
        _warn_of_proxy(str(peer))
    found = _HOST.fullmatch(host or "")
    if found is None or _misleads(found["name"].strip("[]"), peer):
        return f"{scheme}://{_reached(scope, scheme)}"
    if not is_told and _is_declared_tls(found[0], doors.public_url):
        scheme = "https"
    return f"{scheme}://{found[0]}"


def _is_declared_tls(host: str, public_url: str | None) -> bool:
    scheme, _, rest = (public_url or "").partition("://")
    return scheme == "https" and host.lower().removesuffix(":443") == rest.partition("/")[0].lower().removesuffix(
        ":443"
    )


def _misleads(name: str, peer: IPAddress | None) -> bool:
    address = _address("127.0.0.1" if name.lower() == "localhost" else name)
    if address is None:
        return False
    return address.is_unspecified or (address.is_loopback and peer is not None and peer.is_global)


def _reached(scope: Any, scheme: str) -> str:
    """The address that the connection came in on."""
    name, port = scope.get("server") or ("127.0.0.1", None)
    address = _address(name)
    if address is not None and address.is_unspecified:
        name = "127.0.0.1"
    elif isinstance(address, IPv6Address):
        name = f"[{name}]"
    return name if port in (None, _DEFAULT_PORTS.get(scheme)) else f"{name}:{port}"


@lru_cache(maxsize=256)
def _address(text: str) -> IPAddress | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(entry, strict=False) for entry in trusted)


@lru_cache(maxsize=64)
def _warn_of_proxy(peer: str) -> None:
    """Once per proxy: its caller gets links to the name that the proxy used."""
    _log.warning("untrusted_forwarding_headers", peer=peer, cure="set public_url, or name the proxy as trusted")
