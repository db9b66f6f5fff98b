"""Proxies in memory, and a probe that tests decide about."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, ProxyUnavailableError
from flow2api.domain.ports.proxies import Assignment, Passage
from flow2api.domain.proxy import Proxy, ProxyHealth, changed_fields
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.tables import Tables

if TYPE_CHECKING:
    from flow2api.domain.ports.proxies import ProbesProxies, Proxies


class FakeProxies:
    """Proxies in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self) -> Sequence[Proxy]:
        return sorted(self._tables.proxies.values(), key=lambda proxy: proxy.name)

    async def add(self, proxy: Proxy, audit: AuditEntry | None = None) -> Proxy:
        self._tables.writing(audit)
        if any(one.name == proxy.name for one in self._tables.proxies.values()):
            raise ConflictError(f"A proxy named {proxy.name!r} exists already.")
        proxy = replace(proxy, id=self._tables.new_id("proxy"))
        self._tables.proxies[proxy.id] = proxy
        self._tables.note("proxy", proxy.id)
        self._tables.note_audit(audit, proxy.name)
        return proxy

    async def save(self, proxy: Proxy, audit: AuditEntry | None = None, *, former: Proxy | None = None) -> None:
        self._tables.writing(audit)
        known = self._tables.proxies.get(proxy.id)
        if former is not None and known is not None and (fields := changed_fields(former, known)):
            raise ChangedMeanwhileError(fields)
        if known is not None:
            self._tables.proxies[proxy.id] = replace(proxy, name=known.name, health=known.health)
            self._tables.note("proxy", proxy.id)
            self._tables.note_audit(audit)

    async def remove(self, proxy_id: int, audit: AuditEntry | None = None) -> bool:
        self._tables.writing(audit)
        gone = self._tables.proxies.pop(proxy_id, None)
        if gone is None:
            return False
        for assignment in [key for key, name in self._tables.assignments.items() if name == gone.name]:
            del self._tables.assignments[assignment]
        self._tables.note("proxy", proxy_id)
        self._tables.note_audit(audit)
        return True

    async def note_health(self, health: Mapping[int, ProxyHealth]) -> None:
        self._tables.writing()
        for proxy_id, each in health.items():
            known = self._tables.proxies.get(proxy_id)
            if known is not None:
                self._tables.proxies[proxy_id] = replace(known, health=each)
                if known.health.state is not each.state:
                    self._tables.note("proxy", proxy_id)

    async def assignments(self) -> AsyncIterator[Mapping[Assignment, str]]:
        present = {key: name for key, name in self._tables.assignments.items() if key[0] in self._tables.accounts}
        if present:
            yield present

    async def assign(self, chosen: Mapping[Assignment, str]) -> None:
        self._tables.writing()
        self._tables.assignments |= {key: name for key, name in chosen.items() if key[0] in self._tables.accounts}


@dataclass
class FakeProbe:
    """Lets everything through but what tests have closed.

    Attributes:
        closed: By URL, the error that a check meets.
        checked: URL and target of every check, in order.
    """

    closed: dict[str, ProxyUnavailableError] = field(default_factory=dict)
    checked: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, url: Secret, target: str, *, timeout_s: float) -> Passage:
        self.checked.append((url.reveal(), target))
        if url.reveal() in self.closed:
            raise self.closed[url.reveal()]
        return Passage(204, 42, "192.0.2.9")


def _fit(proxies: FakeProxies, probe: FakeProbe) -> "tuple[Proxies, ProbesProxies]":
    return proxies, probe
