"""What an operator's address says: parsed once, and every later step uses the parts and not the text."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote

Address = IPv4Address | IPv6Address

_PORTS = {"https": 443, "http": 80}
_LONGEST = 2048
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?",
    re.IGNORECASE,
)
# Programs disagree on what these mean in an address; none of them is needed.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_SAFE = "%/:?&=+$,;@!*'()~-._[]|"


@dataclass(frozen=True, slots=True)
class Target:
    """An address that messages may be carried to.

    Attributes:
        host: Lower case; an IP address without brackets.
        address: The IP address when the host is one.
        path: With the query; percent-encoded.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def is_secure(self) -> bool:
        """Whether what is carried there is encrypted."""
        return self.scheme == "https"

    @property
    def origin(self) -> str:
        """All of it that is no secret."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self) -> str:
        """The address anew, in the only form that is handed on."""
        return self.origin + self.path

    @classmethod
    def parse(cls, url: str) -> "Target | None":
        """The target of an absolute address; None for what is none, can be read in two ways, or holds a password."""
        match = None if len(url) > _LONGEST or _AMBIGUOUS.search(url) else _URL.fullmatch(url)
        if match is None:
            return None
        scheme, host = match["scheme"].lower(), match["host"].lower().strip("[]")
        port = int(match["port"] or _PORTS[scheme])
        address = _address(host)
        if not 0 < port < 65536 or (address is None and not (len(host) <= 253 and _NAME.fullmatch(host))):
            return None
        return cls(scheme, host, port, quote((match["path"] or "/") + (match["query"] or ""), safe=_SAFE), address)


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
