"""What operators were told last of each thing, in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import ToldNoticeRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.notices import Notice
from flow2api.domain.notification import LastTold

TOLD = table_of(ToldNoticeRow)
KEPT = timedelta(days=30)

_LAST = select(TOLD.c.news, TOLD.c.at).where(TOLD.c.about == bindparam("wanted"))
_OLD = delete(TOLD).where(TOLD.c.at < bindparam("before"))


class SqlToldNotices:
    """One row for each thing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, notices: Sequence[Notice], now: datetime, since: datetime) -> Mapping[str, LastTold]:
        noting = self._database.insert(TOLD)
        noting = noting.on_conflict_do_update(
            index_elements=[TOLD.c.about], set_={"news": noting.excluded.news, "at": noting.excluded.at}
        )

        def step(connection: Connection) -> dict[str, LastTold]:
            known: dict[str, LastTold] = {}
            for notice in notices:
                row = connection.execute(_LAST, {"wanted": notice.about}).first()
                last = None if row is None else LastTold(row.news, to_moment(row.at))
                if last is not None and (last.at > since or (last.news == notice.news and notice.at <= last.at)):
                    known[notice.about] = last
                else:
                    connection.execute(noting, {"about": notice.about, "news": notice.news, "at": to_instant(now)})
            return known

        return await self._database.write(step)


def forget_old_news(connection: Connection, now: datetime) -> None:
    """Delete what was told so long ago that nobody tells it again for that."""
    connection.execute(_OLD, {"before": to_instant(now - KEPT)})


if TYPE_CHECKING:
    from flow2api.domain.ports.notifications import ToldNotices

    def _are_told_notices(notices: SqlToldNotices) -> ToldNotices:
        return notices
