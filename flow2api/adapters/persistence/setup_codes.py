"""Setup codes in the database, as their keyed hashes."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, select

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import SetupCodeRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant
from flow2api.domain.audit import AuditEntry

CODES = table_of(SetupCodeRow)

_GOOD = select(CODES.c.digest).where(CODES.c.digest == bindparam("wanted"), CODES.c.expires_at > bindparam("now"))
_ENDED = delete(CODES).where(CODES.c.expires_at <= bindparam("now"))
_CLEAR = delete(CODES)


class SqlSetupCodes:
    """One row for each code."""

    def __init__(self, database: Database) -> None:
        self._database = database
        adding = database.insert(CODES)
        self._add = adding.on_conflict_do_update(
            index_elements=[CODES.c.digest], set_={"expires_at": adding.excluded.expires_at}
        )

    async def add(self, digest: bytes, expires_at: datetime, now: datetime, audit: AuditEntry | None = None) -> None:
        row = {"digest": digest, "expires_at": to_instant(expires_at)}

        def step(connection: Connection) -> None:
            connection.execute(_ENDED, {"now": to_instant(now)})
            connection.execute(self._add, row)
            note_audit(connection, audit)

        await self._database.write(step)

    async def is_good(self, digest: bytes, now: datetime) -> bool:
        values = {"wanted": digest, "now": to_instant(now)}
        return await self._database.read(lambda connection: connection.execute(_GOOD, values).first() is not None)

    async def clear(self) -> None:
        await self._database.write(lambda connection: connection.execute(_CLEAR).rowcount)


if TYPE_CHECKING:
    from flow2api.domain.ports.setup_codes import SetupCodes

    def _is_setup_codes(codes: SqlSetupCodes) -> SetupCodes:
        return codes
