"""Tries to sign in, counted in the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import SignInTriesRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.throttle import FORGOTTEN_AFTER, Tries

TRIES = table_of(SignInTriesRow)

_ALL = select(TRIES).where(TRIES.c.subject.in_(bindparam("subjects", expanding=True)))
_FORGET = delete(TRIES).where(TRIES.c.subject.in_(bindparam("subjects", expanding=True)))
_OLD = delete(TRIES).where(TRIES.c.blocked_until < bindparam("before"))


class SqlSignInTries:
    """One row for each subject; a try is asked for and counted in one writing step, so that none slips through."""

    def __init__(self, database: Database) -> None:
        self._database = database
        counting = database.insert(TRIES)
        self._count = counting.on_conflict_do_update(
            index_elements=[TRIES.c.subject],
            set_={name: counting.excluded[name] for name in ("count", "blocked_until")},
        )

    async def begin(self, subjects: Sequence[bytes], now: datetime) -> timedelta:
        wanted = list(subjects)

        def step(connection: Connection) -> timedelta:
            rows = connection.execute(_ALL, {"subjects": wanted}).mappings().all()
            known = {row["subject"]: Tries(row["count"], to_moment(row["blocked_until"])) for row in rows}
            pause = max((tries.pause_left(now) for tries in known.values()), default=timedelta(0))
            if pause:
                return pause
            counted = {subject: known.get(subject, Tries()).one_more(now) for subject in wanted}
            connection.execute(
                self._count,
                [
                    {"subject": subject, "count": tries.count, "blocked_until": to_instant(tries.blocked_until or now)}
                    for subject, tries in counted.items()
                ],
            )
            return timedelta(0)

        return await self._database.write(step)

    async def forget(self, subjects: Sequence[bytes]) -> None:
        wanted = list(subjects)
        await self._database.write(lambda connection: connection.execute(_FORGET, {"subjects": wanted}).rowcount)


def forget_old_tries(connection: Connection, now: datetime) -> None:
    """Delete what would count for nothing any more."""
    connection.execute(_OLD, {"before": to_instant(now - FORGOTTEN_AFTER)})


if TYPE_CHECKING:
    from flow2api.domain.ports.sessions import SignInTries

    def _is_tries(tries: SqlSignInTries) -> SignInTries:
        return tries
