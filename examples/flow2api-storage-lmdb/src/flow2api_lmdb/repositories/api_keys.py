"""Keys to the API, and the token of the browser extension."""

import dataclasses
from collections.abc import Sequence

from flow2api.domain.api_key import ApiKey, changed_fields
from flow2api.domain.audit import AuditEntry
from flow2api.domain.connection_token import ConnectionToken
from flow2api.domain.errors import ChangedMeanwhileError, NotKnownError
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.noting import API_KEY, note_audit, note_changes
from flow2api_lmdb.schema import API_KEYS, CONNECTION_TOKEN
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step


class LmdbApiKeys:
    """Keys by id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def all(self) -> Sequence[ApiKey]:
        return await self._engine.read(lambda step: list(step.scan(API_KEYS)))

    async def find(self, digest: bytes) -> ApiKey | None:
        found = await self._engine.read(lambda step: first(1, step.by(API_KEYS, "digest", digest)))
        return found[0] if found else None

    async def add(self, key: ApiKey, audit: AuditEntry | None = None) -> ApiKey:
        def work(step: Step) -> ApiKey:
            added = dataclasses.replace(key, id=step.new_number("api_key"))
            step.put(API_KEYS, (added.id,), added)
            note_changes(step, API_KEY, [added.id])
            note_audit(step, audit, added.id)
            return added

        return await self._engine.write(work)

    async def save(self, key: ApiKey, audit: AuditEntry | None = None, *, former: ApiKey | None = None) -> None:
        def work(step: Step) -> None:
            now = step.get(API_KEYS, key.id)
            if now is None:
                return
            if former is not None and (fields := changed_fields(former, now)):
                raise ChangedMeanwhileError(fields)
            step.put(API_KEYS, (key.id,), key)
            note_changes(step, API_KEY, [key.id])
            note_audit(step, audit)

        await self._engine.write(work)

    async def replace(
        self, key: ApiKey, successor: ApiKey, audits: Sequence[AuditEntry] = (), *, former: ApiKey
    ) -> ApiKey:
        def work(step: Step) -> ApiKey:
            now = step.get(API_KEYS, key.id)
            if now is None:
                raise NotKnownError(f"There is no key with the id {key.id}.")
            if fields := changed_fields(former, now):
                raise ChangedMeanwhileError(fields)
            added = dataclasses.replace(successor, id=step.new_number("api_key"))
            for one in (key, added):
                step.put(API_KEYS, (one.id,), one)
            note_changes(step, API_KEY, [key.id, added.id])
            for audit in audits:
                note_audit(step, audit, added.id)
            return added

        return await self._engine.write(work)


class LmdbConnectionTokens:
    """One record at most."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def current(self) -> ConnectionToken | None:
        return await self._engine.read(lambda step: step.get(CONNECTION_TOKEN, 0))

    async def replace(self, token: ConnectionToken | None, audit: AuditEntry | None = None) -> None:
        def work(step: Step) -> None:
            if token is None:
                step.delete(CONNECTION_TOKEN, 0)
            else:
                step.put(CONNECTION_TOKEN, (0,), token)
            note_audit(step, audit)

        await self._engine.write(work)
