"""Operators in the database."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.changes import OPERATOR, note_changes
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import OperatorRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError
from flow2api.domain.operator import LAST_OWNER, Operator, Role, changed_fields, folded
from flow2api.domain.ports.system import Clock
from flow2api.domain.preferences import AS_IT_COMES, Preferences
from flow2api.domain.secret import Secret

OPERATORS = table_of(OperatorRow)

_ALL = select(OPERATORS).order_by(OPERATORS.c.id)
_GET = select(OPERATORS).where(OPERATORS.c.id == bindparam("wanted"))
_FIND = select(OPERATORS).where(OPERATORS.c.folded_name == bindparam("wanted"))
_ANY = select(OPERATORS.c.id).limit(1)
_NAMESAKE = select(OPERATORS.c.id).where(
    OPERATORS.c.folded_name == bindparam("wanted"), OPERATORS.c.id != bindparam("but")
)
_OWNERS = select(OPERATORS.c.id).where(OPERATORS.c.role == Role.OWNER.value).order_by(OPERATORS.c.id).limit(2)
_REMOVE = delete(OPERATORS).where(OPERATORS.c.id == bindparam("of"))
_SAVE = update(OPERATORS).where(OPERATORS.c.id == bindparam("of"))


class SqlOperators:
    """Operators as rows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def all(self) -> Sequence[Operator]:
        rows = await self._database.read(lambda connection: connection.execute(_ALL).mappings().all())
        return [row_to_operator(row) for row in rows]

    async def get(self, operator_id: int) -> Operator | None:
        row = await self._database.read(
            lambda connection: connection.execute(_GET, {"wanted": operator_id}).mappings().first()
        )
        return None if row is None else row_to_operator(row)

    async def find(self, name: str) -> Operator | None:
        row = await self._database.read(
            lambda connection: connection.execute(_FIND, {"wanted": folded(name)}).mappings().first()
        )
        return None if row is None else row_to_operator(row)

    async def add(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        def step(connection: Connection) -> int | None:
            return None if _has_namesake(connection, operator) else self._insert(connection, operator, audit)

        return replace(operator, id=_or_conflict(await self._database.write(step), operator))

    async def add_first(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        def step(connection: Connection) -> int | None:
            # Whoever writes holds the lock on the whole database, so nobody comes in between.
            return None if connection.execute(_ANY).first() is not None else self._insert(connection, operator, audit)

        number = await self._database.write(step)
        if number is None:
            raise ConflictError("There is an operator already; this would not be the first one.")
        return replace(operator, id=number)

    async def save(
        self, operator: Operator, audit: AuditEntry | None = None, *, former: Operator | None = None
    ) -> None:
        values = operator_to_row(operator)

        def step(connection: Connection) -> ConflictError | None:
            if former is not None and (fields := _changed_fields(connection, former)):
                return ChangedMeanwhileError(fields)
            if _has_namesake(connection, operator):
                return ConflictError(_namesake(operator))
            if operator.role is not Role.OWNER and _is_last_owner(connection, operator.id):
                return ConflictError(LAST_OWNER)
            if connection.execute(_SAVE, {"of": operator.id, **values}).rowcount:
                note_changes(connection, OPERATOR, (operator.id,), self._clock.now())
                note_audit(connection, audit)
            return None

        _refuse(await self._database.write(step))

    async def prefer(self, operator_id: int, preferences: Preferences, audit: AuditEntry | None = None) -> None:
        values = {"of": operator_id, "preferences": msgspec.json.encode(preferences).decode()}

        def step(connection: Connection) -> None:
            if connection.execute(_SAVE, values).rowcount:
                note_changes(connection, OPERATOR, (operator_id,), self._clock.now())
                note_audit(connection, audit)

        await self._database.write(step)

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> None:
        def step(connection: Connection) -> ConflictError | None:
            if _is_last_owner(connection, operator_id):
                return ConflictError(LAST_OWNER)
            if connection.execute(_REMOVE, {"of": operator_id}).rowcount:  # sessions go along, by their foreign key
                note_changes(connection, OPERATOR, (operator_id,), self._clock.now())
                note_audit(connection, audit)
            return None

        _refuse(await self._database.write(step))

    def _insert(self, connection: Connection, operator: Operator, audit: AuditEntry | None) -> int:
        row = {**operator_to_row(operator), "preferences": msgspec.json.encode(operator.preferences).decode()}
        number = connection.execute(insert(OPERATORS), row).inserted_primary_key
        assert number is not None  # noqa: S101 - one row was inserted
        note_changes(connection, OPERATOR, number, self._clock.now())
        note_audit(connection, audit, made=number[0])
        return int(number[0])


def operator_to_row(operator: Operator) -> dict[str, Any]:
    """The columns of an operator, but its id and the preferences, which are written apart."""
    return {
        "name": operator.name,
        "folded_name": folded(operator.name),
        "role": operator.role.value,
        "passphrase_hash": operator.passphrase_hash.reveal(),
        "stamp": operator.stamp,
        "created_at": to_instant(operator.created_at),
        "passphrase_changed_at": to_instant(operator.passphrase_changed_at),
    }


def row_to_operator(row: RowMapping) -> Operator:
    """The operator of a row."""
    kept = row["preferences"]
    return Operator(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        passphrase_hash=Secret(row["passphrase_hash"]),
        stamp=row["stamp"],
        created_at=to_moment(row["created_at"]),
        passphrase_changed_at=to_moment(row["passphrase_changed_at"]),
        preferences=AS_IT_COMES if kept is None else msgspec.json.decode(kept, type=Preferences),
    )


def _changed_fields(connection: Connection, former: Operator) -> tuple[str, ...]:
    row = connection.execute(_GET, {"wanted": former.id}).mappings().first()
    return () if row is None else changed_fields(former, row_to_operator(row))


def _has_namesake(connection: Connection, operator: Operator) -> bool:
    # Asked first, so that the usual conflict does not undo the transaction that others share.
    asked = {"wanted": folded(operator.name), "but": operator.id}
    return connection.execute(_NAMESAKE, asked).first() is not None


def _is_last_owner(connection: Connection, operator_id: int) -> bool:
    owners = connection.execute(_OWNERS).scalars().all()
    return list(owners) == [operator_id]


def _or_conflict(number: int | None, operator: Operator) -> int:
    if number is None:
        raise ConflictError(_namesake(operator))
    return number


def _refuse(refusal: ConflictError | None) -> None:
    if refusal is not None:
        raise refusal


def _namesake(operator: Operator) -> str:
    return f"An operator named {operator.name!r} exists already. Choose another name."


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import Operators

    def _is_operators(operators: SqlOperators) -> Operators:
        return operators
