"""The figures, read and condensed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, delete, func, literal, select

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.tallies import DAYS, OVERALL, QUARTERS, SUMS, TOTALS, add_figures
from flow2api.domain.ports.statistics import Figures
from flow2api.domain.statistics import NUMBERS, Counts, Dimension, Scope

_COLUMNS = {Dimension.ACCOUNT: "account_id", Dimension.KEY: "key_id", Dimension.MODEL: "model"}
T = TypeVar("T")

_EVERYTHING = Scope()
_OLDEST = select(func.min(QUARTERS.c.quarter))


class SqlStatistics:
    """Sums over the tables that the journal adds to; nothing here looks at the request log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self, by: Dimension | None, scope: Scope) -> Figures:
        is_of_accounts = by is Dimension.ACCOUNT or scope.account_id is not None
        return await self._figures(TOTALS if is_of_accounts else OVERALL, by, scope)

    async def of_quarters(self, quarters: range, by: Dimension | None, scope: Scope) -> Figures:
        return await self._figures(QUARTERS, by, scope, *_within(quarters, scope))

    async def of_days(self, days: Sequence[str], by: Dimension | None, scope: Scope) -> Figures:
        return await self._figures(DAYS, by, scope, DAYS.c.day.in_(days)) if days else {}

    async def by_quarter(self, quarters: range, scope: Scope) -> Mapping[int, Counts]:
        return await self._sums(QUARTERS.c.quarter, QUARTERS, scope, *_within(quarters, scope))

    async def by_day(self, first: str, last: str, scope: Scope) -> Mapping[str, Counts]:
        return await self._sums(DAYS.c.day, DAYS, scope, DAYS.c.day.between(first, last))

    async def models_by_quarter(self, quarters: range, scope: Scope) -> Mapping[tuple[int, str], Counts]:
        return await self._models(QUARTERS, QUARTERS.c.quarter, scope, *_within(quarters, scope))

    async def models_by_day(self, first: str, last: str, scope: Scope) -> Mapping[tuple[str, str], Counts]:
        return await self._models(DAYS, DAYS.c.day, scope, DAYS.c.day.between(first, last))

    async def oldest_quarter(self) -> int | None:
        return await self._database.read(lambda connection: connection.execute(_OLDEST).scalar())

    async def condense(self, quarters: range, day: str, limit: int) -> int:
        oldest = select(QUARTERS).where(*_within(quarters)).order_by(*QUARTERS.primary_key).limit(limit)

        def step(connection: Connection) -> int:
            rows = [dict(row) for row in connection.execute(oldest).mappings()]
            add_figures(self._database, connection, DAYS, _in_day(rows, day))
            if rows:
                connection.execute(_one_of(QUARTERS), [_key_of(QUARTERS, row) for row in rows])
            return len(rows)

        return await self._database.write(step)

    async def forget_days(self, before: str, limit: int) -> int:
        oldest = select(*DAYS.primary_key).where(DAYS.c.day < before).order_by(*DAYS.primary_key).limit(limit)

        def step(connection: Connection) -> int:
            rows = [dict(row) for row in connection.execute(oldest).mappings()]
            if rows:
                connection.execute(_one_of(DAYS), [_key_of(DAYS, row) for row in rows])
            return len(rows)

        return await self._database.write(step)

    async def _models(
        self, table: Table, at: ColumnElement[T], scope: Scope, *where: ColumnElement[bool]
    ) -> dict[tuple[T, str], Counts]:
        apart = (at, table.c.model)
        query = select(*apart, *_summed(table)).where(*where, *_in(table, scope)).group_by(*apart)

        def step(connection: Connection) -> dict[tuple[T, str], Counts]:
            return {(row[0], row[1]): _counts(row[2:]) for row in connection.execute(query)}

        return await self._database.read(step)

    async def _figures(self, table: Table, by: Dimension | None, scope: Scope, *where: ColumnElement[bool]) -> Figures:
        return await self._sums(literal("") if by is None else table.c[_COLUMNS[by]], table, scope, *where)

    async def _sums(
        self, by: ColumnElement[T], table: Table, scope: Scope, *where: ColumnElement[bool]
    ) -> dict[T, Counts]:
        query = select(by.label("told_apart"), *_summed(table)).where(*where, *_in(table, scope)).group_by("told_apart")

        def step(connection: Connection) -> dict[T, Counts]:
            return {row[0]: _counts(row[1:]) for row in connection.execute(query)}

        return await self._database.read(step)


def _counts(sums: Sequence[Any]) -> Counts:
    return Counts(**dict(zip(NUMBERS, sums, strict=False)), took=tuple(sums[len(NUMBERS) :]))


def _summed(table: Table) -> list[ColumnElement[Any]]:
    return [func.sum(table.c[name]) for name in SUMS]


def _within(quarters: range, scope: Scope = _EVERYTHING) -> Sequence[ColumnElement[bool]]:
    """Of one account each quarter hour is looked up by itself: the key goes by quarter hours first, then by accounts."""
    if scope.account_id is None or not quarters:
        return QUARTERS.c.quarter >= quarters.start, QUARTERS.c.quarter < quarters.stop
    every = select(literal(quarters.start).label("quarter")).cte("every", recursive=True)
    every = every.union_all(select(every.c.quarter + 1).where(every.c.quarter < quarters.stop - 1))
    return (QUARTERS.c.quarter.in_(select(every.c.quarter)),)


def _in(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    asked = {"account_id": scope.account_id, "key_id": scope.key_id, "model": scope.model}
    return [table.c[name] == value for name, value in asked.items() if value is not None]


def _in_day(rows: Sequence[Mapping[str, Any]], day: str) -> list[dict[str, Any]]:
    """One row for each account, key and model."""
    sums: dict[tuple[int, int, str], dict[str, Any]] = {}
    for row in rows:
        who = row["account_id"], row["key_id"], row["model"]
        known = sums.setdefault(who, {"day": day, "account_id": who[0], "key_id": who[1], "model": who[2]})
        for name in SUMS:
            known[name] = known.get(name, 0) + row[name]
    return list(sums.values())


def _one_of(table: Table) -> Any:
    return delete(table).where(and_(*(column == bindparam(f"of_{column.name}") for column in table.primary_key)))


def _key_of(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"of_{column.name}": row[column.name] for column in table.primary_key}


if TYPE_CHECKING:
    from flow2api.domain.ports.statistics import Statistics, TellsModelsByTime

    def _is_statistics(statistics: SqlStatistics) -> Statistics:
        return statistics

    def _tells_models_by_time(statistics: SqlStatistics) -> TellsModelsByTime:
        return statistics
