"""Base URLs of accounts, and which addresses belong to the same host."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

_AUTHORITY = re.compile(r"[A-Za-z0-9.\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_ADDRESS = re.compile(r"[!-~]{1,8192}")
_PORTS = {"http": 80, "https": 443}


def plain_base(address: str | None) -> str | None:
    """A base URL without a slash at its end; None for what cannot be one."""
    text = (address or "").strip().rstrip("/")
    parts = text.partition("#")[0].partition("?")[0]
    return text if text == parts and origin_of(text) else None


@lru_cache(maxsize=256)
def origin_of(address: str) -> str:
    """Scheme, host and port of an address; empty for one that is not plain HTTP, or that hides where it leads."""
    if not _ADDRESS.fullmatch(address) or "\\" in address:
        return ""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not _AUTHORITY.fullmatch(parts.netloc):
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port or _PORTS[parts.scheme]}"
