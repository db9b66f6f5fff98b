"""The audit log in the database; triggers keep it from ever being changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, or_, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import AuditRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.audit import Actor, AuditEntry, AuditFilter

AUDIT_LOG = table_of(AuditRow)


def note_audit(connection: Connection, entry: AuditEntry | None, made: object = None) -> None:
    """Add the entry, if there is one, to the step that it tells of.

    Args:
        made: The id of the new thing, for an entry that could not know it.
    """
    if entry is not None:
        row = entry_to_row(entry)
        if row["subject"] is None and made is not None:
            row["subject"] = str(made)
        connection.execute(insert(AUDIT_LOG), row)


class SqlAuditLog:
    """Entries as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, entry: AuditEntry) -> None:
        await self._database.write(lambda connection: note_audit(connection, entry))

    async def page(self, *, before: int | None, limit: int, wanted: AuditFilter | None = None) -> Sequence[AuditEntry]:
        page = select(AUDIT_LOG).where(*_conditions(wanted)).order_by(AUDIT_LOG.c.number.desc()).limit(limit)
        if before is not None:
            page = page.where(AUDIT_LOG.c.number < before)
        rows = await self._database.read(lambda connection: connection.execute(page).mappings().all())
        return [row_to_entry(row) for row in rows]


def _conditions(wanted: AuditFilter | None) -> list[ColumnElement[bool]]:
    if wanted is None:
        return []
    columns = AUDIT_LOG.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.action:
        # Not LIKE, which takes large letters for small ones.
        conditions.append(func.substr(columns.action, 1, len(wanted.action)) == wanted.action)
    if wanted.actor is not None:
        conditions.append(columns.actor == wanted.actor)
    if wanted.subject is not None:
        numbers: dict[str, list[str | None]] = {}
        for kind, number in wanted.named:
            numbers.setdefault(f"{kind}.", []).append(number)
        called = (
            (func.substr(columns.action, 1, len(kind)) == kind) & columns.subject.in_(of_kind)
            for kind, of_kind in numbers.items()
        )
        conditions.append(or_(columns.subject == wanted.subject, *called))
    if wanted.since is not None:
        conditions.append(columns.at >= to_instant(wanted.since))
    if wanted.until is not None:
        conditions.append(columns.at < to_instant(wanted.until))
    return conditions


def entry_to_row(entry: AuditEntry) -> dict[str, Any]:
    """The columns of an entry, but its number."""
    return {
        "at": to_instant(entry.at),
        "actor": entry.actor.name,
        "operator_id": entry.actor.operator_id,
        "door": entry.actor.door,
        "address": entry.actor.address,
        "request_id": entry.actor.request_id,
        "action": str(entry.action),
        "subject": entry.subject,
        "details": msgspec.json.encode(entry.details).decode(),
    }


def row_to_entry(row: RowMapping) -> AuditEntry:
    """The entry of a row."""
    actor = Actor(
        name=row["actor"],
        door=row["door"],
        operator_id=row["operator_id"],
        address=row["address"],
        request_id=row["request_id"],
    )
    return AuditEntry(
        number=row["number"],
        at=to_moment(row["at"]),
        actor=actor,
        action=row["action"],
        subject=row["subject"],
        details=msgspec.json.decode(row["details"]),
    )


if TYPE_CHECKING:
    from flow2api.domain.ports.audit_log import AuditLog

    def _is_an_audit_log(log: SqlAuditLog) -> AuditLog:
        return log
