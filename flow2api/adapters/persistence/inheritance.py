"""What another server recorded, in bulk."""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Delete, Table, bindparam, delete, func, insert, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.generation_mapping import generation_to_row
from flow2api.adapters.persistence.leases import GENERATIONS
from flow2api.adapters.persistence.rows import DayStatisticRow, RequestLogRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant
from flow2api.adapters.persistence.tallies import OVERALL, SUMS, TOTALS
from flow2api.domain.generation import Generation
from flow2api.domain.legacy import SOURCE, Total
from flow2api.domain.request_log import LoggedRequest

LOG, DAYS = table_of(RequestLogRow), table_of(DayStatisticRow)
NO_KEY = 0

_PLACES = 31
_LOWEST = -(2**62)
_MICROSECONDS = 1_000_000


def _inherited(table: Table) -> Delete:
    return delete(table).where(table.c.account_id == bindparam("of"), table.c.key_id == NO_KEY, table.c.model == SOURCE)


_FORGET_DAYS, _FORGET_TOTALS = _inherited(DAYS), _inherited(TOTALS)
_FORGET_SUM = delete(OVERALL).where(OVERALL.c.key_id == NO_KEY, OVERALL.c.model == SOURCE)
_ADD_UP = insert(OVERALL).from_select(
    ["key_id", "model", *SUMS],
    select(TOTALS.c.key_id, TOTALS.c.model, *(func.sum(TOTALS.c[name]) for name in SUMS))
    .where(TOTALS.c.key_id == NO_KEY, TOTALS.c.model == SOURCE)
    .group_by(TOTALS.c.key_id, TOTALS.c.model),
)


class SqlInheritance:
    """Bulk inserts that pass over what is there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_generations(self, generations: Sequence[Generation]) -> int:
        return await self._add_missing(GENERATIONS, "id", [generation_to_row(one) for one in generations])

    async def add_log(self, lines: Sequence[LoggedRequest]) -> int:
        return await self._add_missing(LOG, "number", [_log_row(line) for line in lines])

    async def set_totals(self, totals: Sequence[Total]) -> None:
        accounts = [{"of": account_id} for account_id in {one.account_id for one in totals}]
        by_day = [{"day": one.day, **_figures(one.account_id, (one,))} for one in totals]
        by_account: defaultdict[int, list[Total]] = defaultdict(list)
        for one in totals:
            by_account[one.account_id].append(one)
        whole = [_figures(account_id, every) for account_id, every in by_account.items()]

        def step(connection: Connection) -> None:
            for forget in (_FORGET_DAYS, _FORGET_TOTALS):
                connection.execute(forget, accounts)
            connection.execute(insert(DAYS), by_day)
            connection.execute(insert(TOTALS), whole)
            connection.execute(_FORGET_SUM)
            connection.execute(_ADD_UP)

        if totals:
            await self._database.write(step)

    async def _add_missing(self, table: Table, identity: str, rows: Sequence[dict[str, Any]]) -> int:
        if not rows:
            return 0
        adding = self._database.insert(table).on_conflict_do_nothing(index_elements=[table.c[identity]])
        return await self._database.write(lambda connection: connection.execute(adding, rows).rowcount)


def _log_row(line: LoggedRequest) -> dict[str, Any]:
    columns = {name: getattr(line, name) for name in LOG.c.keys() if name not in ("at", "number")}  # noqa: SIM118
    return {**columns, "at": to_instant(line.at), "number": _number_of(line)}


def _number_of(line: LoggedRequest) -> int:
    """A number that the same line always gets, in the order of time, and below all that the database gives itself."""
    second = to_instant(line.at) // _MICROSECONDS
    return _LOWEST + (second << _PLACES) + (zlib.crc32(line.request_id.encode()) >> 1)


def _figures(account_id: int, totals: Sequence[Total]) -> dict[str, Any]:
    images, videos = sum(one.images for one in totals), sum(one.videos for one in totals)
    return {
        "account_id": account_id,
        "key_id": NO_KEY,
        "model": SOURCE,
        "images": images,
        "videos": videos,
        "succeeded": images + videos,
        "errors": sum(one.errors for one in totals),
    }


if TYPE_CHECKING:
    from flow2api.domain.ports.legacy import Inheritance

    def _is_an_inheritance(inheritance: SqlInheritance) -> Inheritance:
        return inheritance
