"""The change feed: what else has to know of a write is noted in the same transaction."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, func, insert, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import ChangeRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant
from flow2api.domain.ports.storage import Change

ACCOUNT = "account"
API_KEY = "api_key"
OPERATOR = "operator"
OPTIONS = "options"
PROXY = "proxy"
WEBHOOK = "webhook"

ORIGIN = "origin"
"""The execution option of writing connections that tells one storage's writes from another's."""

NOTED = "noted_changes"
"""Stands among the facts of a writing connection from a change that was noted until that is told."""

CHANGES = table_of(ChangeRow)

_LATEST = select(func.max(CHANGES.c.number))
_SINCE = (
    select(CHANGES.c.number, CHANGES.c.what, CHANGES.c.id, CHANGES.c.origin)
    .where(CHANGES.c.number > bindparam("behind"))
    .order_by(CHANGES.c.number)
    .limit(bindparam("most"))
)


def note_changes(connection: Connection, what: str, ids: Iterable[object], now: datetime) -> None:
    """Add one entry for each of these; they count only if the whole step does."""
    at, origin = to_instant(now), connection.get_execution_options()[ORIGIN]
    if entries := [{"what": what, "id": str(each), "at": at, "origin": origin} for each in ids]:
        connection.execute(insert(CHANGES), entries)
        connection.info[NOTED] = True


class SqlChangeFeed:
    """The entries in their order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self) -> int:
        return await self._database.read(lambda connection: connection.execute(_LATEST).scalar() or 0)

    async def since(self, number: int, limit: int = 1000) -> Sequence[Change]:
        rows = await self._database.read(
            lambda connection: connection.execute(_SINCE, {"behind": number, "most": limit}).all()
        )
        own = self._database.origin
        return [Change(row.number, row.what, row.id, row.origin == own) for row in rows]

    def tell(self, listener: Callable[[], None]) -> None:
        self._database.tell_of_changes(listener)


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import ChangeFeed, TellsOwnChanges

    def _is_a_change_feed(feed: SqlChangeFeed) -> ChangeFeed:
        return feed

    def _tells_own_changes(feed: SqlChangeFeed) -> TellsOwnChanges:
        return feed
