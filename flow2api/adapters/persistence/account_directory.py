"""Looking through the accounts in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, or_, select

from flow2api.adapters.persistence.account_mapping import row_to_account
from flow2api.adapters.persistence.accounts import ACCOUNTS
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.journal import LOG
from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.adapters.persistence.tallies import TOTALS
from flow2api.domain.account import Account, AccountStatus
from flow2api.domain.ports.account_directory import LONGEST_SEARCH, AccountFilter, AccountUse
from flow2api.domain.statistics import Counts

_COUNTED = ("images", "videos", "succeeded", "errors")
_AMONG = bindparam("wanted", expanding=True)
_COUNTS = (
    select(TOTALS.c.account_id, *(func.sum(TOTALS.c[name]).label(name) for name in _COUNTED))
    .where(TOTALS.c.account_id.in_(_AMONG))
    .group_by(TOTALS.c.account_id)
)
# One look into the index for each account, however long the log is.
_LAST_USED = select(
    ACCOUNTS.c.id, select(func.max(LOG.c.at)).where(LOG.c.account_id == ACCOUNTS.c.id).scalar_subquery()
).where(ACCOUNTS.c.id.in_(_AMONG))


class SqlAccountDirectory:
    """Pages by id, which is the primary key, so that the hundredth page costs what the first one does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> Sequence[Account]:
        page = (
            select(ACCOUNTS)
            .where(ACCOUNTS.c.id > after, *_conditions(wanted, to_instant(now)))
            .order_by(ACCOUNTS.c.id)
            .limit(limit)
        )
        rows = await self._database.read(lambda connection: connection.execute(page).mappings().all())
        return [row_to_account(row) for row in rows]

    async def count(self, wanted: AccountFilter, now: datetime) -> Mapping[AccountStatus, int]:
        status = _status(to_instant(now))
        count = select(status, func.count()).where(*_conditions(wanted, to_instant(now))).group_by(status)
        rows = await self._database.read(lambda connection: connection.execute(count).all())
        found = {AccountStatus(name): number for name, number in rows}
        return {each: found.get(each, 0) for each in AccountStatus}

    async def use_of(self, account_ids: Sequence[int]) -> AccountUse:
        wanted = {"wanted": list(account_ids)}

        def step(connection: Connection) -> AccountUse:
            counted = connection.execute(_COUNTS, wanted).mappings()
            counts = {row["account_id"]: Counts(**{name: row[name] for name in _COUNTED}) for row in counted}
            used = connection.execute(_LAST_USED, wanted).all()
            return AccountUse(counts, {number: to_moment(at) for number, at in used if at is not None})

        return await self._database.read(step)


def _status(now: int) -> ColumnElement[str]:
    """How an account stands, the gravest first."""
    return case(
        (ACCOUNTS.c.disabled_until > now, AccountStatus.DISABLED.value),
        (ACCOUNTS.c.suspended_until > now, AccountStatus.SUSPENDED.value),
        (ACCOUNTS.c.cooling_until > now, AccountStatus.COOLING_DOWN.value),
        else_=AccountStatus.ACTIVE.value,
    )


def _conditions(wanted: AccountFilter, now: int) -> list[ColumnElement[Any]]:
    conditions: list[ColumnElement[Any]] = []
    if wanted.text:
        pattern = f"%{_escaped(wanted.text[:LONGEST_SEARCH])}%"
        columns = (ACCOUNTS.c.email, ACCOUNTS.c.name, ACCOUNTS.c.remark)
        conditions.append(or_(*(column.ilike(pattern, escape="\\") for column in columns)))
    off, held, cooling = ACCOUNTS.c.disabled_until, ACCOUNTS.c.suspended_until, ACCOUNTS.c.cooling_until
    match wanted.status:
        case AccountStatus.DISABLED:
            conditions.append(off > now)
        case AccountStatus.SUSPENDED:
            conditions.append(and_(off <= now, held > now))
        case AccountStatus.COOLING_DOWN:
            conditions.append(and_(off <= now, held <= now, cooling > now))
        case AccountStatus.ACTIVE:
            conditions.append(and_(off <= now, held <= now, cooling <= now))
        case None:
            pass
    return conditions


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


if TYPE_CHECKING:
    from flow2api.domain.ports.account_directory import AccountDirectory

    def _is_a_directory(directory: SqlAccountDirectory) -> AccountDirectory:
        return directory
