"""Proxies, and which one of a pool each account has."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError
from flow2api.domain.ports.proxies import Assignment
from flow2api.domain.proxy import Proxy, ProxyHealth, changed_fields
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.noting import PROXY, note_audit, note_changes
from flow2api_lmdb.schema import ACCOUNTS, ASSIGNMENTS, PROXIES, Assigned
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step

BATCH = 500


class LmdbProxies:
    """Proxies by id, assignments by account and pool."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def all(self) -> Sequence[Proxy]:
        return await self._engine.read(lambda step: list(step.by(PROXIES, "name")))

    async def add(self, proxy: Proxy, audit: AuditEntry | None = None) -> Proxy:
        def work(step: Step) -> Proxy:
            added = replace(proxy, id=step.new_number("proxy"))
            step.put(PROXIES, (added.id,), added)
            note_changes(step, PROXY, [added.id])
            note_audit(step, audit, added.name)
            return added

        return await self._engine.write(work)

    async def save(self, proxy: Proxy, audit: AuditEntry | None = None, *, former: Proxy | None = None) -> None:
        def work(step: Step) -> None:
            known = step.get(PROXIES, proxy.id)
            if former is not None and known is not None and (fields := changed_fields(former, known)):
                raise ChangedMeanwhileError(fields)
            if known is not None:
                step.put(PROXIES, (proxy.id,), replace(proxy, name=known.name, health=known.health))
                note_changes(step, PROXY, [proxy.id])
                note_audit(step, audit)

        await self._engine.write(work)

    async def remove(self, proxy_id: int, audit: AuditEntry | None = None) -> bool:
        def work(step: Step) -> bool:
            gone = step.get(PROXIES, proxy_id)
            if gone is None:
                return False
            step.delete(PROXIES, proxy_id)
            for assigned in list(step.by(ASSIGNMENTS, "proxy", gone.name)):
                step.delete(ASSIGNMENTS, assigned.account_id, assigned.pool)
            note_changes(step, PROXY, [proxy_id])
            note_audit(step, audit)
            return True

        return await self._engine.write(work)

    async def note_health(self, health: Mapping[int, ProxyHealth]) -> None:
        def work(step: Step) -> None:
            for proxy_id, each in health.items():
                known = step.get(PROXIES, proxy_id)
                if known is None:
                    continue
                step.put(PROXIES, (proxy_id,), replace(known, health=each))
                if known.health.state is not each.state:
                    note_changes(step, PROXY, [proxy_id])

        await self._engine.write(work)

    async def assignments(self) -> AsyncIterator[Mapping[Assignment, str]]:
        behind: tuple[int, str] | tuple[int] = (0,)
        while batch := await self._engine.read(
            lambda step: first(BATCH, step.scan(ASSIGNMENTS, after=behind))  # noqa: B023
        ):
            yield {(one.account_id, one.pool): one.proxy for one in batch}
            behind = (batch[-1].account_id, batch[-1].pool)

    async def assign(self, chosen: Mapping[Assignment, str]) -> None:
        def work(step: Step) -> None:
            for (account_id, pool), proxy in chosen.items():
                if step.has(ACCOUNTS, account_id):
                    step.put(ASSIGNMENTS, (account_id, pool), Assigned(account_id, pool, proxy))

        await self._engine.write(work)
