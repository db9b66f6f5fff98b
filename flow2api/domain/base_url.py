"""Addresses that an operator gives and that secrets are sent to: of an account, or of an upstream as a setting."""

import re
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from flow2api.domain.errors import ConfigurationError, UnsupportedInputError

LONGEST_BASE_URL = 1024

# Programs disagree on what else there can be in an address; none of it is needed.
_FORM = re.compile(r"https?://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:/[a-z0-9._~%-]+)*/*", re.IGNORECASE)
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


def read_base_url(text: str, plain_hosts: Collection[str] = ()) -> str:
    """The address in one form: scheme and host in small letters, no slash at the end.

    It is trusted as a setting is, so it may lead to a private network. What is sent there is a key, so it is https
    unless it is this machine, or a host that the operator has named.

    Args:
        plain_hosts: The hosts that may be asked over plain http.

    Raises:
        UnsupportedInputError: It is no http or https address, has credentials, a query or a fragment, or would carry
            the key over a network in the clear. The message shows none of it.
    """
    address = text.strip()
    if not address:
        raise _refused("The base URL is empty.")
    if len(address) > LONGEST_BASE_URL:
        raise _refused(f"The base URL has more than {LONGEST_BASE_URL:,} characters.")
    if any(mark in address for mark in "@?#"):
        raise _refused("The base URL must have no credentials, no query and no fragment; the key is given by itself.")
    if not _FORM.fullmatch(address) or _DOTS.search(address):
        raise _refused("The base URL is no http or https address; it looks like https://media.example.org/v1.")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        may_be_plain = is_loopback(host) or is_among(host, plain_hosts)
    except ValueError:
        raise _refused("The base URL names no host, or a port that cannot be.") from None
    if port == 0 or not host.strip("."):
        raise _refused("The base URL names no host, or a port that cannot be.")
    if parts.scheme == "http" and not may_be_plain:
        raise _refused(
            "The base URL has to be https: the API key goes there, and only the loopback, and hosts that the setting "
            "plain_http_hosts names, may be asked over plain http."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def check_base_setting(setting: str, address: str, secrets: str) -> str:
    """The path of an upstream's address, once the address has been found to be one that secrets may be sent to.

    Args:
        setting: Its name, section and all.
        secrets: What is sent there, in the plural.

    Raises:
        ConfigurationError: It is no http or https address, has credentials, a query or a fragment, or would carry the
            secrets over a network in the clear.
    """
    try:
        parts = urlsplit(address)
        names_host = parts.port is not None or bool(parts.hostname)
    except ValueError:
        raise ConfigurationError(f"The setting `{setting}` is no address.") from None
    if parts.scheme not in ("http", "https") or not names_host or parts.username or parts.query or parts.fragment:
        raise ConfigurationError(
            f"The setting `{setting}` has to be an http or https address without credentials or query."
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigurationError(
            f"The setting `{setting}` has to be https: {secrets} go there, and only the loopback is private enough for "
            "plain http."
        )
    return parts.path


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name or address alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_among(host: str, hosts: Collection[str]) -> bool:
    """Whether this host is named there, in whatever letters and form of address."""
    return bool(hosts) and _one_form(host) in {_one_form(one) for one in hosts}


def _one_form(host: str) -> str:
    name = host.strip().strip("[]").rstrip(".").casefold()
    try:
        return str(ip_address(name))
    except ValueError:
        return name


def _refused(message: str) -> UnsupportedInputError:
    return UnsupportedInputError(message, param="base_url")
