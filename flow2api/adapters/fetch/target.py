"""What a caller's address says: parsed once, and every later step uses the parts and not the text."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urljoin

_HTTPS_PORT = 443
_MAX_LENGTH = 8192
_URL = re.compile(r"https://(?P<host>[^/?#]*)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?", re.IGNORECASE)
# Browsers, curl and Python disagree on what these mean in a URL; none of them is needed.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]")
# The last label begins with a letter, so that no way to write an IPv4 address (decimal, octal, hex, short) is a name.
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_INNER_SUFFIXES = (
    ".localhost",
    ".localdomain",
    ".local",
    ".internal",
    ".intranet",
    ".lan",
    ".corp",
    ".private",
    ".home.arpa",
    ".in-addr.arpa",
    ".ip6.arpa",
)
_SAFE = "%/:?&=+$,;@!*'()~-._[]|"


class RefusedTargetError(ValueError):
    """The address is not one that is fetched from."""


@dataclass(frozen=True, slots=True)
class Target:
    """An https address on a named host.

    Attributes:
        host: ASCII, lower case, of at least two labels; never an IP address.
        port: The one port that is allowed.
        path: With the query; percent-encoded.
    """

    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The address anew, in the only form that is handed on."""
        return f"https://{self.host}:{self.port}{self.path}"

    @classmethod
    def parse(cls, url: str, port: int = _HTTPS_PORT) -> Self:
        """The target of an absolute address.

        Args:
            port: The only one that it may name; it must name one that is not 443.

        Raises:
            RefusedTargetError: It is not https, has user information or another port, names no host of the public
                DNS, or can be read in more than one way.
        """
        if len(url) > _MAX_LENGTH or _AMBIGUOUS.search(url):
            raise RefusedTargetError
        match = _URL.fullmatch(url)
        if match is None:
            raise RefusedTargetError
        path, query = match["path"] or "/", match["query"] or ""
        try:
            return cls(_host(match["host"], port), port, quote(path + query, safe=_SAFE))
        except UnicodeEncodeError as cause:
            raise RefusedTargetError from cause

    def redirected(self, location: str) -> Self:
        """The target that a ``Location`` header names, absolute or relative to this one.

        Raises:
            RefusedTargetError: As for :meth:`parse`.
        """
        if _AMBIGUOUS.search(location):  # urljoin would drop some of these
            raise RefusedTargetError
        try:
            return self.parse(urljoin(self.url, location), self.port)
        except ValueError as cause:
            raise RefusedTargetError from cause


def _host(text: str, port: int) -> str:
    name, _, given = text.lower().partition(":")
    if given != str(port) and (given or ":" in text or port != _HTTPS_PORT):
        raise RefusedTargetError
    if len(name) > 253 or not _HOST.fullmatch(name) or name.endswith(_INNER_SUFFIXES):
        raise RefusedTargetError
    return name
