"""Keys to our API in the database."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import BindParameter, Connection, RowMapping, bindparam, case, insert, or_, select, update

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.changes import API_KEY, note_changes
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import ApiKeyRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.api_key import ApiKey, changed_fields
from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, NotKnownError
from flow2api.domain.key_rules import EVERY_SCOPE, NO_RULES, KeyRules, scopes_named
from flow2api.domain.ports.system import Clock

T = TypeVar("T")

API_KEYS = table_of(ApiKeyRow)

_ALL = select(API_KEYS).order_by(API_KEYS.c.id)
_FIND = select(API_KEYS).where(API_KEYS.c.digest == bindparam("wanted"))
_GET = select(API_KEYS).where(API_KEYS.c.id == bindparam("wanted"))
_NAMESAKE = select(API_KEYS.c.id).where(
    API_KEYS.c.name == bindparam("wanted"), API_KEYS.c.revoked_at.is_(None), API_KEYS.c.id != bindparam("but")
)
_used_at: BindParameter[int] = bindparam("used_at")
_SAVE = (
    update(API_KEYS)
    .where(API_KEYS.c.id == bindparam("of"))
    # The journal knows better when a key was last used than whoever saves it.
    .values(
        last_used_at=case(
            (or_(API_KEYS.c.last_used_at.is_(None), API_KEYS.c.last_used_at < _used_at), _used_at),
            else_=API_KEYS.c.last_used_at,
        )
    )
)


class SqlApiKeys:
    """Keys as rows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def all(self) -> Sequence[ApiKey]:
        rows = await self._database.read(lambda connection: connection.execute(_ALL).mappings().all())
        return [row_to_key(row) for row in rows]

    async def find(self, digest: bytes) -> ApiKey | None:
        row = await self._database.read(
            lambda connection: connection.execute(_FIND, {"wanted": digest}).mappings().first()
        )
        return None if row is None else row_to_key(row)

    async def add(self, key: ApiKey, audit: AuditEntry | None = None) -> ApiKey:
        row = key_to_row(key)

        def step(connection: Connection) -> int | ConflictError:
            if _has_namesake(connection, key):
                return _namesake(key)
            number = self._insert(connection, row)
            note_audit(connection, audit, made=number)
            return number

        return dataclasses.replace(key, id=_done(await self._database.write(step)))

    async def save(self, key: ApiKey, audit: AuditEntry | None = None, *, former: ApiKey | None = None) -> None:
        values = _changing(key)

        def step(connection: Connection) -> ConflictError | None:
            if former is not None and (fields := _changed_fields(connection, former)):
                return ChangedMeanwhileError(fields)
            if _has_namesake(connection, key):
                return _namesake(key)
            if self._update(connection, values):
                note_audit(connection, audit)
            return None

        _done(await self._database.write(step))

    async def replace(
        self, key: ApiKey, successor: ApiKey, audits: Sequence[AuditEntry] = (), *, former: ApiKey
    ) -> ApiKey:
        values, row = _changing(key), key_to_row(successor)

        def step(connection: Connection) -> int | ConflictError:
            if fields := _changed_fields(connection, former):
                return ChangedMeanwhileError(fields)
            if _has_namesake(connection, key):
                return _namesake(key)
            if _has_namesake(connection, successor, but=key):
                return _namesake(successor)
            if not self._update(connection, values):
                return _not_known(key.id)
            number = self._insert(connection, row)
            for audit in audits:
                note_audit(connection, audit, made=number)
            return number

        return dataclasses.replace(successor, id=_done(await self._database.write(step)))

    def _insert(self, connection: Connection, row: dict[str, Any]) -> int:
        number = connection.execute(insert(API_KEYS), row).inserted_primary_key
        assert number is not None  # noqa: S101 - one row was inserted
        note_changes(connection, API_KEY, number, self._clock.now())
        return int(number[0])

    def _update(self, connection: Connection, values: dict[str, Any]) -> bool:
        if not connection.execute(_SAVE, values).rowcount:
            return False
        note_changes(connection, API_KEY, (values["of"],), self._clock.now())
        return True


def key_to_row(key: ApiKey) -> dict[str, Any]:
    """The columns of a key, but its id."""
    return {
        "name": key.name,
        "prefix": key.prefix,
        "digest": key.digest,
        "created_at": to_instant(key.created_at),
        "revoked_at": to_instant(key.revoked_at),
        "last_used_at": to_instant(key.last_used_at),
        "tag": key.tag,
        "profile": key.profile,
        "scopes": None if key.rules.scopes == EVERY_SCOPE else " ".join(sorted(key.rules.scopes)),
        "models": msgspec.json.encode(key.rules.models).decode() if key.rules.models else None,
        "expires_at": to_instant(key.rules.expires_at),
        "requests_per_min": key.rules.requests_per_min,
        "max_concurrent": key.rules.max_concurrent,
        "max_per_day": key.rules.max_per_day,
        "first_id": key.first_id,
    }


def row_to_key(row: RowMapping) -> ApiKey:
    """The key of a row."""
    return ApiKey(
        id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        digest=row["digest"],
        created_at=to_moment(row["created_at"]),
        revoked_at=to_moment(row["revoked_at"]),
        last_used_at=to_moment(row["last_used_at"]),
        tag=row["tag"],
        profile=row["profile"],
        rules=_rules_of(row),
        first_id=row["first_id"],
    )


def _rules_of(row: RowMapping) -> KeyRules:
    rules = KeyRules(
        scopes=scopes_named((row["scopes"] or "").split()),
        models=msgspec.json.decode(row["models"], type=tuple[str, ...]) if row["models"] else (),
        expires_at=to_moment(row["expires_at"]),
        requests_per_min=row["requests_per_min"],
        max_concurrent=row["max_concurrent"],
        max_per_day=row["max_per_day"],
    )
    return NO_RULES if rules == NO_RULES else rules


def _changing(key: ApiKey) -> dict[str, Any]:
    values = key_to_row(key)
    return {"of": key.id, "used_at": values.pop("last_used_at"), **values}


def _has_namesake(connection: Connection, key: ApiKey, but: ApiKey | None = None) -> bool:
    """Whether an active key has this one's name, apart from itself, or from another that gives its name away.

    It is asked first, so that the usual conflict does not undo the transaction that others share.
    """
    if not key.is_active:
        return False
    if but is not None and but.is_active and but.name == key.name:
        return True
    apart = (but or key).id
    return connection.execute(_NAMESAKE, {"wanted": key.name, "but": apart}).first() is not None


def _changed_fields(connection: Connection, former: ApiKey) -> tuple[str, ...]:
    row = connection.execute(_GET, {"wanted": former.id}).mappings().first()
    return () if row is None else changed_fields(former, row_to_key(row))


def _done(answer: T | ConflictError) -> T:
    if isinstance(answer, ConflictError):
        raise answer
    return answer


def _not_known(key_id: int) -> NotKnownError:
    return NotKnownError(f"There is no key with the id {key_id}.")


def _namesake(key: ApiKey) -> ConflictError:
    return ConflictError(f"An active key named {key.name!r} exists already. Choose another name or revoke it.")


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import ApiKeys

    def _is_api_keys(keys: SqlApiKeys) -> ApiKeys:
        return keys
