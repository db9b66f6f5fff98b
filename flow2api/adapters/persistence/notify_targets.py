"""Places where messages to operators go, in the database, their addresses sealed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import NotifyTargetRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ConflictError
from flow2api.domain.notification import NotifyTarget
from flow2api.domain.ports.secrets import Cipher

TARGETS = table_of(NotifyTargetRow)

_ALL = select(TARGETS).order_by(TARGETS.c.id)
_NAMESAKE = select(TARGETS.c.id).where(TARGETS.c.name == bindparam("wanted"))
_REMOVE = delete(TARGETS).where(TARGETS.c.id == bindparam("of"))
_SENT = update(TARGETS).where(TARGETS.c.id == bindparam("of")).values(sent_at=bindparam("at"), error="")
_FAILED = (
    update(TARGETS).where(TARGETS.c.id == bindparam("of")).values(failed_at=bindparam("at"), error=bindparam("why"))
)


class SqlNotifyTargets:
    """Places as rows."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def all(self) -> Sequence[NotifyTarget]:
        rows = await self._database.read(lambda connection: connection.execute(_ALL).mappings().all())
        return [self._target(row) for row in rows]

    async def add(self, target: NotifyTarget, audit: AuditEntry | None = None) -> NotifyTarget:
        row = {
            "name": target.name,
            "service": target.service,
            "url": self._cipher.seal(target.url, place=_place(target.name)),
            "created_at": to_instant(target.created_at),
            "sent_at": to_instant(target.sent_at),
            "failed_at": to_instant(target.failed_at),
            "error": target.error,
        }

        def step(connection: Connection) -> int | None:
            if connection.execute(_NAMESAKE, {"wanted": target.name}).first() is not None:
                return None
            number = connection.execute(insert(TARGETS), row).inserted_primary_key
            assert number is not None  # noqa: S101 - one row was inserted
            note_audit(connection, audit, made=number[0])
            return int(number[0])

        made = await self._database.write(step)
        if made is None:
            raise ConflictError(f"A notify target named {target.name!r} exists already. Choose another name.")
        return replace(target, id=made)

    async def remove(self, target_id: int, audit: AuditEntry | None = None) -> bool:
        def step(connection: Connection) -> bool:
            if not connection.execute(_REMOVE, {"of": target_id}).rowcount:
                return False
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    async def note(self, target_id: int, at: datetime, error: str) -> None:
        values = {"of": target_id, "at": to_instant(at)}
        statement = _FAILED if error else _SENT
        given = {**values, "why": error} if error else values
        await self._database.write(lambda connection: connection.execute(statement, given).rowcount)

    def _target(self, row: RowMapping) -> NotifyTarget:
        return NotifyTarget(
            id=row["id"],
            name=row["name"],
            service=row["service"],
            url=self._cipher.open(row["url"], place=_place(row["name"])),
            created_at=to_moment(row["created_at"]),
            sent_at=to_moment(row["sent_at"]),
            failed_at=to_moment(row["failed_at"]),
            error=row["error"],
        )


def _place(name: str) -> str:
    # The name and not the id, which nobody knows before the row is there; names do not change.
    return f"notify_targets.url.{name}"


if TYPE_CHECKING:
    from flow2api.domain.ports.notifications import NotifyTargets

    def _is_notify_targets(targets: SqlNotifyTargets) -> NotifyTargets:
        return targets
