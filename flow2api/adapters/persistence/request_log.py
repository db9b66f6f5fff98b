"""The request log, read and forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    RowMapping,
    Select,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    union_all,
)

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.journal import LOG
from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.adapters.persistence.unindexed import Unindexed
from flow2api.domain.generation import State
from flow2api.domain.ports.request_log import LineColumn, TimeCount
from flow2api.domain.request_log import COLUMNS, REFUSED, LogFilter, LoggedRequest, LogPosition

_LISTED = [LOG.c[name] for name in COLUMNS]
_LATEST = select(func.coalesce(func.max(LOG.c.number), 0))
_ONE = select(*_LISTED, LOG.c.body).where(LOG.c.number == bindparam("number"))
_PREFIXES = ("", "req_", "gen_", "video_")

_LEADS = ("account_id", "code", "state", "key_id", "model")
"""What there is an index for, the likeliest to have few lines first. Most lines are ``completed``, and have none. Keys and
models are both few, and have an index together: a key that never used a model may have a hundred thousand lines."""

_COUNTED = (100, 1000, 10_000)
"""How many lines of each filter are counted to find the narrowest, until one has fewer: half a millisecond each at most."""

_MOST_MATCHES = 1000
"""How many lines whose id begins with a text are looked at."""


def _values_of(column: ColumnElement[Any]) -> Select[Any]:
    """Each value once: from one to the next larger one, a look into the index each."""
    found = select(func.min(column).label("value")).where(column.is_not(None)).cte("found", recursive=True)
    larger = select(func.min(column)).where(column > found.c.value).scalar_subquery()
    found = found.union_all(select(larger).where(found.c.value.is_not(None)))
    return select(found.c.value).where(found.c.value.is_not(None))


_VALUES = {column: _values_of(LOG.c[column.value]) for column in LineColumn}


class SqlRequestLog:
    """Every list is read along one index: that of the narrowest filter, which the others are applied to.

    Which one that is depends on the pool: of two accounts each has half of the lines.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: LogFilter, before: LogPosition | None, limit: int) -> Sequence[LoggedRequest]:
        until: list[ColumnElement[bool]] = []
        if before is not None:
            at = to_instant(before.at)
            # The first condition tells nothing new, but it is what an index can begin at.
            until = [LOG.c.at <= at, or_(LOG.c.at < at, LOG.c.number < before.number)]
        newest = LOG.c.at if not wanted.text else Unindexed(LOG.c.at)

        def step(connection: Connection) -> Sequence[LoggedRequest]:
            lead = None if wanted.text else _narrowest(connection, wanted, until[:1])
            where = [*_conditions(wanted, lead, has_other=bool(wanted.text)), *until]
            query = select(*_LISTED).where(*where).order_by(newest.desc(), LOG.c.number.desc()).limit(limit)
            return _lines(connection, query)

        return await self._database.read(step)

    async def since(self, wanted: LogFilter, number: int, limit: int) -> Sequence[LoggedRequest]:
        where = [*_conditions(wanted, None, has_other=True), LOG.c.number > number]
        query = select(*_LISTED).where(*where).order_by(LOG.c.number).limit(limit)
        return await self._database.read(lambda connection: _lines(connection, query))

    async def latest(self) -> int:
        return await self._database.read(lambda connection: int(connection.execute(_LATEST).scalar_one()))

    async def get(self, number: int) -> LoggedRequest | None:
        row = await self._database.read(
            lambda connection: connection.execute(_ONE, {"number": number}).mappings().first()
        )
        return None if row is None else _line(row)

    async def count_lines(self, wanted: LogFilter, since: datetime, step: timedelta, most: int) -> Sequence[TimeCount]:
        start, width = to_instant(since), max(1, step // timedelta(microseconds=1))

        def count(connection: Connection) -> Sequence[TimeCount]:
            lead = None if wanted.text else _narrowest(connection, wanted, ())
            where = _conditions(wanted, lead, has_other=bool(wanted.text))
            newest = LOG.c.at if not wanted.text else Unindexed(LOG.c.at)
            lines = select(LOG.c.at, LOG.c.state).where(*where).order_by(newest.desc()).limit(most).subquery()
            number = ((lines.c.at - start) // width).label("number")
            wrong = func.count().filter(lines.c.state.in_((State.FAILED.value, REFUSED)))
            counted = connection.execute(select(number, func.count(), wrong).group_by(number))
            return [TimeCount(row[0], row[1], row[2], since + step * row[0]) for row in counted]

        return await self._database.read(count)

    async def line_values(self, column: LineColumn, most: int) -> Sequence[str | int]:
        values = _VALUES[column].limit(most)
        return await self._database.read(lambda connection: connection.execute(values).scalars().all())

    async def forget(self, before: datetime, limit: int) -> int:
        old = select(LOG.c.number).where(LOG.c.at < to_instant(before)).order_by(LOG.c.at).limit(limit)
        forgetting = delete(LOG).where(LOG.c.number.in_(old.scalar_subquery()))

        def step(connection: Connection) -> int:
            return cast("CursorResult[Any]", connection.execute(forgetting)).rowcount

        return await self._database.write(step)


def _lines(connection: Connection, query: Select[Any]) -> Sequence[LoggedRequest]:
    return [_line(row) for row in connection.execute(query).mappings()]


def _line(values: RowMapping) -> LoggedRequest:
    return LoggedRequest(**{**values, "at": to_moment(values["at"])})


def _narrowest(connection: Connection, wanted: LogFilter, until: Sequence[ColumnElement[bool]]) -> str | None:
    """The filter that is to lead: of several the one with the fewest lines, as far as they are counted."""
    asked = [name for name in _LEADS if getattr(wanted, name) is not None]
    unindexed = {"state"} if not _is_failure(wanted) else set[str]()
    covered = {"model"} if "key_id" in asked else set[str]()
    leads = [name for name in asked if name not in unindexed | covered]
    for most in _COUNTED if len(leads) > 1 else ():
        fewest, narrowest = most, None
        for name in leads:
            count = _lines_of(connection, wanted, until, name, fewest)
            if count < fewest:
                fewest, narrowest = count, name
        if narrowest is not None:
            return narrowest
    return next(iter(leads), None)


def _lines_of(
    connection: Connection, wanted: LogFilter, until: Sequence[ColumnElement[bool]], name: str, most: int
) -> int:
    """How many lines this filter has, which are counted along its index up to so many."""
    where = [*_led_by(wanted, name), *_within(wanted, LOG.c.at), *until]
    lines = select(literal(1)).select_from(LOG).where(*where).limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(lines)).scalar_one())


def _is_failure(wanted: LogFilter) -> bool:
    return wanted.state not in (None, State.COMPLETED)


def _led_by(wanted: LogFilter, name: str) -> list[ColumnElement[bool]]:
    """What is looked up in the index of this filter."""
    where = [LOG.c[name] == getattr(wanted, name)]
    if name == "state":
        where.append(LOG.c.code.is_not(None))  # so that the index of failures serves
    if name == "key_id" and wanted.model is not None:
        where.append(LOG.c.model == wanted.model)  # keys and models have an index together
    return where


def _within(wanted: LogFilter, at: ColumnElement[int]) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        where.append(at >= to_instant(wanted.since))
    if wanted.until is not None:
        where.append(at < to_instant(wanted.until))
    return where


def _conditions(wanted: LogFilter, lead: str | None, *, has_other: bool) -> list[ColumnElement[bool]]:
    """What lines have to meet; only what leads is looked up in an index.

    Args:
        has_other: What leads is none of the filters here but that of the text, or a number.
    """
    where = [_begins_with(wanted.text)] if wanted.text else []
    where += _within(wanted, Unindexed(LOG.c.at) if has_other else LOG.c.at)
    where += [] if lead is None else _led_by(wanted, lead)
    if _is_failure(wanted) and lead != "state":
        where.append(Unindexed(LOG.c.code).is_not(None))
    known = {lead, "model"} if lead == "key_id" else {lead}
    for name in _LEADS:
        value = getattr(wanted, name)
        if value is not None and name not in known:
            where.append(Unindexed(LOG.c[name]) == value)
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
    from flow2api.domain.ports.request_log import CountsLines, RequestLog

    def _is_a_request_log(log: SqlRequestLog) -> RequestLog:
        return log

    def _counts_lines(log: SqlRequestLog) -> CountsLines:
        return log
