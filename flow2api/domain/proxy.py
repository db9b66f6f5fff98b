"""Egress proxies: how they are written, how they stand, and which of a pool an account uses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from enum import IntEnum, StrEnum
from typing import Protocol
from urllib.parse import SplitResult, quote, unquote, urlsplit

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret

SCHEMES = ("http", "https", "socks5", "socks5h")
"""How a proxy may be spoken to; with ``socks5h`` it resolves the names of hosts, with ``socks5`` we do."""

DIRECT = "direct"
"""Stands where a proxy or a pool could be named, for an account that uses none."""

GLOBAL = "global"
"""The same, for an account that uses what the option ``proxy`` says."""

REFUSALS_BEFORE_SUSPICION = 3
"""Failures in a row that may be the target's, after which a proxy is only used when there is no better one."""

LONGEST_NAME = 64

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:.]{2,45}")
_LONGEST_CREDENTIAL_BYTES = 255  # RFC 1929 has one byte for the length
_LONGEST_URL = 2048


class ProxyState(StrEnum):
    """How a proxy stands."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    SUSPECT = "suspect"
    DOWN = "down"


class Standing(IntEnum):
    """How far a proxy may be used, best first."""

    GOOD = 0
    LAST_RESORT = 1
    UNUSABLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHealth:
    """What is known of a proxy's health.

    Attributes:
        since: When this state began; None while nothing is known.
        checked_at: When it last worked or failed, be it in a check or at work.
        latency_ms: How long the last check took that went well.
        failures: How many failures there were in a row.
        egress: The address that targets see, when a check was told.
        fault: What went wrong last, as a sentence without an address; None while all is well.
    """

    state: ProxyState = ProxyState.UNKNOWN
    since: datetime | None = None
    checked_at: datetime | None = None
    latency_ms: int | None = None
    failures: int = 0
    egress: str | None = None
    fault: str | None = None

    def worked(self, now: datetime, *, latency_ms: int | None = None, egress: str | None = None) -> "ProxyHealth":
        """The health after something came through."""
        return replace(
            self._in(ProxyState.HEALTHY, now),
            latency_ms=self.latency_ms if latency_ms is None else latency_ms,
            egress=egress or self.egress,
            failures=0,
            fault=None,
        )

    def failed(self, now: datetime, fault: str, *, is_certain: bool) -> "ProxyHealth":
        """The health after nothing came through.

        Args:
            is_certain: The proxy itself failed; else it may be that only the target could not be reached.
        """
        failures = self.failures + 1
        if is_certain or self.state is ProxyState.DOWN:
            state = ProxyState.DOWN
        else:
            state = ProxyState.SUSPECT if failures >= REFUSALS_BEFORE_SUSPICION else self.state
        return replace(self._in(state, now), failures=failures, fault=fault)

    def _in(self, state: ProxyState, now: datetime) -> "ProxyHealth":
        return replace(self, state=state, since=self.since if state is self.state else now, checked_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """One egress proxy.

    Attributes:
        name: Unique among proxies and pools; accounts and options refer to it.
        url: Where it is and what it wants, whole.
        address: The same without credentials, to be shown.
        pool: The pool that it belongs to, if any.
    """

    id: int
    name: str
    url: Secret
    address: str
    created_at: datetime
    pool: str | None = None
    is_enabled: bool = True
    health: ProxyHealth = field(default_factory=ProxyHealth)

    @property
    def standing(self) -> Standing:
        """How far it may be used."""
        if not self.is_enabled or self.health.state is ProxyState.DOWN:
            return Standing.UNUSABLE
        return Standing.LAST_RESORT if self.health.state is ProxyState.SUSPECT else Standing.GOOD


@dataclass(frozen=True, slots=True)
class Member:
    """A proxy of a pool, as selectors see it.

    Attributes:
        accounts: How many accounts have it now.
    """

    name: str
    accounts: int


def changed_fields(seen: Proxy, now: Proxy) -> tuple[str, ...]:
    """What of an operator's word about a proxy is different from how it was seen, as people call it."""
    different = {
        "address": seen.url != now.url,
        "pool": seen.pool != now.pool,
        "switch": seen.is_enabled != now.is_enabled,
    }
    return tuple(name for name, differs in different.items() if differs)


class ProxySelector(Protocol):
    """Chooses the proxy of a pool that an account gets, when it has none or cannot keep the one that it had."""

    def select(self, account_id: int, members: Sequence[Member]) -> Member:
        """One of the members, each of which can be used. There is always one."""
        ...


def usable(proxies: Sequence[Proxy]) -> tuple[Proxy, ...]:
    """Those that may be used: the good ones; the suspects when there is no good one; else none."""
    best = min((one.standing for one in proxies), default=Standing.UNUSABLE)
    return () if best is Standing.UNUSABLE else tuple(one for one in proxies if one.standing is best)


def check_name(name: str, what: str) -> None:
    """Refuse a name that a proxy or a pool cannot have.

    Args:
        what: ``name`` or ``pool``.

    Raises:
        UnsupportedInputError: It has other characters, or stands for something else.
    """
    if not _NAME.fullmatch(name) or name in (DIRECT, GLOBAL):
        raise UnsupportedInputError(
            f"The {what} of a proxy has 1 to {LONGEST_NAME} letters, digits, or any of `._-`, begins with a letter or "
            f"digit, and is neither `{DIRECT}` nor `{GLOBAL}`.",
            param=what,
        )


def read_proxy_url(text: str) -> tuple[Secret, str]:
    """The URL of a proxy as it is kept, and its address as it may be shown.

    Raises:
        UnsupportedInputError: It is none, or of a scheme that we do not speak. The message shows no credential.
    """
    text = text.strip()
    parts, port = _split(text)
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES:
        near = get_close_matches(scheme, SCHEMES, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        shown = f"{scheme[:16]}://" if scheme and "://" in text else "no scheme"
        raise UnsupportedInputError(
            f"A proxy is reached by {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}, not by {shown}.{hint}", param="url"
        )
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or port is None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _not_a_url()
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Secret(f"{scheme}://{_user_info(parts)}{place}"), f"{scheme}://{place}"


def _split(text: str) -> tuple[SplitResult, int | None]:
    if len(text) > _LONGEST_URL or not text.isprintable() or " " in text:
        raise _not_a_url()
    try:
        parts = urlsplit(text)
        return parts, parts.port or None
    except ValueError:
        raise _not_a_url() from None


def _user_info(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    user, password = unquote(parts.username), unquote(parts.password or "")
    for one in (user, password):
        if len(one.encode()) > _LONGEST_CREDENTIAL_BYTES or not one.isprintable():
            raise _not_a_url()
    return f"{quote(user, safe='')}:{quote(password, safe='')}@"


def _not_a_url() -> UnsupportedInputError:
    return UnsupportedInputError(
        "The address of a proxy has the form scheme://user:password@host:port, without a path; the credentials may be "
        "left out, and special characters in them are written as %XX.",
        param="url",
    )
