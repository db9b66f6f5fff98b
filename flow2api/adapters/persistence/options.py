"""Options that an operator has set, in the database."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Executable, select

from flow2api.adapters.persistence import changes
from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import OptionRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant
from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError
from flow2api.domain.ports.system import Clock

OPTIONS = table_of(OptionRow)

_READ = select(OPTIONS.c.name, OPTIONS.c.value).where(OPTIONS.c.value.is_not(None)).order_by(OPTIONS.c.name)


class SqlOptionValues:
    """Options as rows. One that went back to its default keeps its row, so that it is known who did it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def read(self) -> Mapping[str, object]:
        rows = await self._database.read(lambda connection: connection.execute(_READ).all())
        return {row.name: msgspec.json.decode(row.value) for row in rows}

    async def write(
        self,
        values: Mapping[str, object],
        who: str,
        audit: AuditEntry | None = None,
        *,
        known: Mapping[str, object] | None = None,
    ) -> None:
        now = self._clock.now()
        rows = [
            {
                "name": name,
                "value": _as_text(value),
                "changed_at": to_instant(now),
                "changed_by": who,
            }
            for name, value in values.items()
        ]
        if not rows:
            return

        def step(connection: Connection) -> None:
            if known is None:
                connection.execute(self._setting(), rows)
            else:
                self._set_known(connection, rows, known)
            changes.note_changes(connection, changes.OPTIONS, values, now)
            note_audit(connection, audit)

        await self._database.write(step)

    def _set_known(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], known: Mapping[str, object]
    ) -> None:
        """Set them one by one, each only where it is as it was read: a look before that would lock none that is new."""
        for row in rows:
            was = _as_text(known.get(row["name"]))
            if not connection.execute(self._setting(OPTIONS.c.value.is_not_distinct_from(was)), row).rowcount:
                raise ChangedMeanwhileError([row["name"]])

    def _setting(self, where: ColumnElement[bool] | None = None) -> Executable:
        setting = self._database.insert(OPTIONS)
        return setting.on_conflict_do_update(
            index_elements=[OPTIONS.c.name],
            set_={name: setting.excluded[name] for name in ("value", "changed_at", "changed_by")},
            where=where,
        )


def _as_text(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import OptionValues

    def _is_option_values(values: SqlOptionValues) -> OptionValues:
        return values
