"""Sessions of operators in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import OperatorRow, SessionRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.audit import AuditEntry
from flow2api.domain.session import LONGEST_IDLE, OperatorSession

SESSIONS = table_of(SessionRow)
OPERATORS = table_of(OperatorRow)

_FIND = select(SESSIONS).where(SESSIONS.c.digest == bindparam("wanted"))
_OF = (
    select(SESSIONS)
    .where(SESSIONS.c.operator_id == bindparam("wanted"))
    .order_by(SESSIONS.c.created_at.desc(), SESSIONS.c.id.desc())
)
_SAW = (
    update(SESSIONS)
    .where(SESSIONS.c.digest == bindparam("wanted"), SESSIONS.c.seen_at < bindparam("at"))
    .values(seen_at=bindparam("at"))
)
_RESTAMP = update(SESSIONS).where(SESSIONS.c.digest == bindparam("wanted")).values(stamp=bindparam("new_stamp"))
_REMOVE = delete(SESSIONS).where(SESSIONS.c.digest == bindparam("wanted"))
_REMOVE_OTHERS = delete(SESSIONS).where(
    SESSIONS.c.operator_id == bindparam("of"), SESSIONS.c.digest != bindparam("but")
)
_ENDED = delete(SESSIONS).where(
    (SESSIONS.c.expires_at <= bindparam("now"))
    | (SESSIONS.c.seen_at <= bindparam("idle_since"))
    | SESSIONS.c.stamp.not_in(select(OPERATORS.c.stamp))
)


class SqlSessions:
    """Sessions as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, session: OperatorSession, audit: AuditEntry | None = None) -> None:
        row = session_to_row(session)

        def step(connection: Connection) -> None:
            connection.execute(insert(SESSIONS), row)
            note_audit(connection, audit)

        await self._database.write(step)

    async def find(self, digest: bytes) -> OperatorSession | None:
        row = await self._database.read(
            lambda connection: connection.execute(_FIND, {"wanted": digest}).mappings().first()
        )
        return None if row is None else row_to_session(row)

    async def of_operator(self, operator_id: int) -> Sequence[OperatorSession]:
        rows = await self._database.read(
            lambda connection: connection.execute(_OF, {"wanted": operator_id}).mappings().all()
        )
        return [row_to_session(row) for row in rows]

    async def saw(self, digest: bytes, at: datetime) -> None:
        values = {"wanted": digest, "at": to_instant(at)}
        await self._database.write(lambda connection: connection.execute(_SAW, values).rowcount)

    async def restamp(self, digest: bytes, stamp: str) -> None:
        values = {"wanted": digest, "new_stamp": stamp}
        await self._database.write(lambda connection: connection.execute(_RESTAMP, values).rowcount)

    async def remove(self, digest: bytes, audit: AuditEntry | None = None) -> bool:
        def step(connection: Connection) -> bool:
            if not connection.execute(_REMOVE, {"wanted": digest}).rowcount:
                return False
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    async def remove_others(self, operator_id: int, but: bytes, audit: AuditEntry | None = None) -> int:
        def step(connection: Connection) -> int:
            removed = connection.execute(_REMOVE_OTHERS, {"of": operator_id, "but": but}).rowcount
            if removed:
                note_audit(connection, audit)
            return removed

        return await self._database.write(step)


def forget_ended_sessions(connection: Connection, now: datetime) -> None:
    """Delete the sessions that have ended, by time or by a new passphrase."""
    connection.execute(_ENDED, {"now": to_instant(now), "idle_since": to_instant(now - LONGEST_IDLE)})


def session_to_row(session: OperatorSession) -> dict[str, Any]:
    """The columns of a session."""
    return {
        "digest": session.digest,
        "id": session.id,
        "operator_id": session.operator_id,
        "stamp": session.stamp,
        "created_at": to_instant(session.created_at),
        "seen_at": to_instant(session.seen_at),
        "expires_at": to_instant(session.expires_at),
        "address": session.address,
        "agent": session.agent,
    }


def row_to_session(row: RowMapping) -> OperatorSession:
    """The session of a row."""
    return OperatorSession(
        id=row["id"],
        digest=row["digest"],
        operator_id=row["operator_id"],
        stamp=row["stamp"],
        created_at=to_moment(row["created_at"]),
        seen_at=to_moment(row["seen_at"]),
        expires_at=to_moment(row["expires_at"]),
        address=row["address"],
        agent=row["agent"],
    )


if TYPE_CHECKING:
    from flow2api.domain.ports.sessions import Sessions

    def _is_sessions(sessions: SqlSessions) -> Sessions:
        return sessions
