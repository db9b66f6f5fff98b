"""Proxies and their checks as JSON. None of them holds credentials."""

from datetime import datetime

import msgspec

from flow2api.domain.proxy import Proxy
from flow2api.domain.usecases.check_proxies import Checked


class ProxyView(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy, without its credentials.

    Attributes:
        address: Scheme, host and port.
        state: ``unknown``, ``healthy``, ``suspect`` or ``down``.
        failures: How many failures there were in a row.
        egress: The address that targets see, when a check was told.
        fault: What went wrong last; null while all is well.
    """

    name: str
    pool: str | None
    address: str
    is_enabled: bool
    state: str
    since: datetime | None
    checked_at: datetime | None
    latency_ms: int | None
    failures: int
    egress: str | None
    fault: str | None
    created_at: datetime


class RefusedProxy(msgspec.Struct, frozen=True):
    """One that could not be taken in, by its place in the list, from 1."""

    line: int
    reason: str


class ProxyCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a check came to.

    Attributes:
        ok: Whether anything came through.
        status: HTTP status of the target; null when nothing came through.
    """

    name: str
    address: str
    ok: bool
    status: int | None
    latency_ms: int | None
    egress: str | None
    fault: str | None


def proxy_view(proxy: Proxy) -> ProxyView:
    """A proxy as it is shown."""
    health = proxy.health
    return ProxyView(
        name=proxy.name,
        pool=proxy.pool,
        address=proxy.address,
        is_enabled=proxy.is_enabled,
        state=health.state.value,
        since=health.since,
        checked_at=health.checked_at,
        latency_ms=health.latency_ms,
        failures=health.failures,
        egress=health.egress,
        fault=health.fault,
        created_at=proxy.created_at,
    )


def check_view(checked: Checked) -> ProxyCheck:
    """A check as it is shown."""
    passage = checked.passage
    return ProxyCheck(
        name=checked.proxy.name,
        address=checked.proxy.address,
        ok=passage is not None,
        status=None if passage is None else passage.status,
        latency_ms=None if passage is None else passage.latency_ms,
        egress=None if passage is None else passage.egress,
        fault=checked.fault,
    )
