"""The audit log in the database; triggers keep it from ever being changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, insert, or_, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import AuditRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.audit import Actor, AuditEntry

AUDIT_LOG = table_of(AuditRow)

_PAGE = (
    select(AUDIT_LOG)
    .where(or_(bindparam("before").is_(None), AUDIT_LOG.c.number < bindparam("before")))
    .order_by(AUDIT_LOG.c.number.desc())
    .limit(bindparam("most"))
)


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

    async def page(self, *, before: int | None, limit: int) -> Sequence[AuditEntry]:
        values = {"before": before, "most": limit}
        rows = await self._database.read(lambda connection: connection.execute(_PAGE, values).mappings().all())
        return [row_to_entry(row) for row in rows]


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
