"""The request log, read and forgotten."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    RowMapping,
    bindparam,
    delete,
    func,
    or_,
    select,
    union_all,
)

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.journal import LOG
from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.adapters.persistence.unindexed import Unindexed
from flow2api.domain.generation import State
from flow2api.domain.request_log import COLUMNS, LogFilter, LoggedRequest, LogPosition

_LISTED = [LOG.c[name] for name in COLUMNS]
_LATEST = select(func.coalesce(func.max(LOG.c.number), 0))
_ONE = select(*_LISTED, LOG.c.body).where(LOG.c.number == bindparam("number"))
_PREFIXES = ("", "req_", "gen_", "video_")

_NARROWEST_FIRST = ("account_id", "code", "state", "key_id", "model")
"""Which index serves when several would: the one whose values have the fewest lines. Most lines are ``completed``. Keys and
models are both few, and have an index together: a key that never used a model may have a hundred thousand lines."""

_MOST_MATCHES = 1000
"""How many lines whose id begins with a text are looked at."""


class SqlRequestLog:
    """Every list is read along one index: that of the narrowest filter, which the others are applied to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: LogFilter, before: LogPosition | None, limit: int) -> Sequence[LoggedRequest]:
        where = _conditions(wanted, is_led=False)
        if before is not None:
            at = to_instant(before.at)
            # The first condition tells nothing new, but it is what an index can begin at.
            where += [LOG.c.at <= at, or_(LOG.c.at < at, LOG.c.number < before.number)]
        newest = LOG.c.at if not wanted.text else Unindexed(LOG.c.at)
        query = select(*_LISTED).where(*where).order_by(newest.desc(), LOG.c.number.desc()).limit(limit)
        return await self._lines(query)

    async def since(self, wanted: LogFilter, number: int, limit: int) -> Sequence[LoggedRequest]:
        where = [*_conditions(wanted, is_led=True), LOG.c.number > number]
        return await self._lines(select(*_LISTED).where(*where).order_by(LOG.c.number).limit(limit))

    async def latest(self) -> int:
        return await self._database.read(lambda connection: int(connection.execute(_LATEST).scalar_one()))

    async def get(self, number: int) -> LoggedRequest | None:
        row = await self._database.read(
            lambda connection: connection.execute(_ONE, {"number": number}).mappings().first()
        )
        return None if row is None else _line(row)

    async def forget(self, before: datetime, limit: int) -> int:
        old = select(LOG.c.number).where(LOG.c.at < to_instant(before)).order_by(LOG.c.at).limit(limit)
        forgetting = delete(LOG).where(LOG.c.number.in_(old.scalar_subquery()))

        def step(connection: Connection) -> int:
            return cast("CursorResult[Any]", connection.execute(forgetting)).rowcount

        return await self._database.write(step)

    async def _lines(self, query: Any) -> Sequence[LoggedRequest]:
        return await self._database.read(
            lambda connection: [_line(row) for row in connection.execute(query).mappings()]
        )


def _line(values: RowMapping) -> LoggedRequest:
    return LoggedRequest(**{**values, "at": to_moment(values["at"])})


def _conditions(wanted: LogFilter, *, is_led: bool) -> list[ColumnElement[bool]]:
    """What lines have to meet; one condition may be looked up in an index, unless another one leads already."""
    where: list[ColumnElement[bool]] = []
    if wanted.text:
        where.append(_begins_with(wanted.text))
        is_led = True
    column = Unindexed(LOG.c.at) if is_led else LOG.c.at
    if wanted.since is not None:
        where.append(column >= to_instant(wanted.since))
    if wanted.until is not None:
        where.append(column < to_instant(wanted.until))
    key_leads = False
    is_failure = wanted.state not in (None, State.COMPLETED)
    if is_failure:
        where.append(LOG.c.code.is_not(None))  # so that the index of failures serves
    for name in _NARROWEST_FIRST:
        value = getattr(wanted, name)
        if value is not None:
            leads = not is_led and (name != "state" or is_failure)
            serves = leads or (key_leads and name == "model")  # keys and models have an index together
            where.append((LOG.c[name] if serves else Unindexed(LOG.c[name])) == value)
            key_leads = key_leads or (leads and name == "key_id")
            is_led = is_led or leads
    return where


def _begins_with(text: str) -> ColumnElement[bool]:
    """Either id begins with the text. Ranges, for a pattern would look at every line."""
    starts = [(column, f"{prefix}{text}") for column in (LOG.c.request_id, LOG.c.generation_id) for prefix in _PREFIXES]
    found = [
        select(
            select(LOG.c.number).where(column >= start, column < f"{start}\U0010ffff").limit(_MOST_MATCHES).subquery()
        )
        for column, start in starts
    ]
    return LOG.c.number.in_(union_all(*found).scalar_subquery())


if TYPE_CHECKING:
    from flow2api.domain.ports.request_log import RequestLog

    def _is_a_request_log(log: SqlRequestLog) -> RequestLog:
        return log
