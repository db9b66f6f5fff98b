"""Proxies as commands print them. None of them holds credentials."""

from datetime import datetime

import msgspec

from flow2api.domain.proxy import Proxy
from flow2api.domain.usecases.check_proxies import Checked


class ProxyOut(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy as JSON.

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


class RefusedOut(msgspec.Struct, frozen=True):
    """A line that could not be taken in."""

    line: int
    reason: str


class CheckOut(msgspec.Struct, frozen=True, kw_only=True):
    """A check as JSON.

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


def proxy_out(proxy: Proxy) -> ProxyOut:
    """A proxy as it is shown."""
    health = proxy.health
    return ProxyOut(
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


def check_out(checked: Checked) -> CheckOut:
    """A check as it is shown."""
    passage = checked.passage
    return CheckOut(
        name=checked.proxy.name,
        address=checked.proxy.address,
        ok=passage is not None,
        status=None if passage is None else passage.status,
        latency_ms=None if passage is None else passage.latency_ms,
        egress=None if passage is None else passage.egress,
        fault=checked.fault,
    )
