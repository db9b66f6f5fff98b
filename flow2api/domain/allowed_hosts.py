"""By which names the server may be reached.

A page that a browser has loaded elsewhere can have its own name lead to this machine and then counts as the same origin
here. What it cannot do is have the browser keep its name back, nor be loaded under an address in place of a name.
"""

import re
from collections.abc import Collection, Iterable
from ipaddress import ip_address

from flow2api.domain.base_url import is_loopback

EVERY_HOST = "*"

_FORM = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")


def is_allowed_host(named: str, allowed: Collection[str]) -> bool:
    """Whether who calls the server by this name may be answered.

    Args:
        named: The name as it was sent, port included.
        allowed: Names in small letters, as `host_names` gives them. Every address is allowed, and so is this machine.
    """
    form = _FORM.fullmatch(named)
    if form is None:
        return False
    name = _plain(form["name"])
    return EVERY_HOST in allowed or name in allowed or is_loopback(name) or _is_address(name)


def host_names(given: Iterable[str]) -> frozenset[str]:
    """Names as they are compared, whatever their case, with or without a port or a dot at the end; empty ones left out."""
    names = {one.strip() for one in given}
    found = (_FORM.fullmatch(name) for name in names)
    return frozenset(_plain(form["name"]) for form in found if form is not None) | (names & {EVERY_HOST})


def _plain(name: str) -> str:
    return name.strip("[]").lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
