"""The history of credits in the database."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, CursorResult, bindparam, delete, func, select, tuple_

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import CreditsRow
from flow2api.adapters.persistence.rows.base import table_of

CREDITS = table_of(CreditsRow)

_BEFORE = (
    select(func.max(CREDITS.c.day))
    .where(CREDITS.c.account_id == bindparam("of"), CREDITS.c.day < bindparam("first"))
    .scalar_subquery()
)
_OF = select(CREDITS.c.day, CREDITS.c.credits).where(
    CREDITS.c.account_id == bindparam("of"),
    CREDITS.c.day >= func.coalesce(_BEFORE, bindparam("first")),
    CREDITS.c.day <= bindparam("last"),
)


class SqlCreditsHistory:
    """One row for each account and day on which its credits were seen to have changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, day: str, seen: Mapping[int, int]) -> None:
        noting = self._database.insert(CREDITS)
        noting = noting.on_conflict_do_update(
            index_elements=list(CREDITS.primary_key), set_={"credits": noting.excluded.credits}
        )
        rows = [{"account_id": account_id, "day": day, "credits": left} for account_id, left in seen.items()]
        if rows:
            await self._database.write(lambda connection: connection.execute(noting, rows))

    async def of(self, account_id: int, first: str, last: str) -> Mapping[str, int]:
        asked = {"of": account_id, "first": first, "last": last}

        def step(connection: Connection) -> Mapping[str, int]:
            return {row.day: row.credits for row in connection.execute(_OF, asked)}

        return await self._database.read(step)

    async def forget(self, before: str, limit: int) -> int:
        key = CREDITS.c.account_id, CREDITS.c.day
        old = select(*key).where(CREDITS.c.day < before).order_by(CREDITS.c.day).limit(limit)
        forgetting = delete(CREDITS).where(tuple_(*key).in_(old))

        def step(connection: Connection) -> int:
            return cast("CursorResult[Any]", connection.execute(forgetting)).rowcount

        return await self._database.write(step)


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import CreditsHistory

    def _is_a_history(history: SqlCreditsHistory) -> CreditsHistory:
        return history
