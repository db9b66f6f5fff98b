"""Looking through the accounts in the database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    TextClause,
    and_,
    bindparam,
    false,
    func,
    select,
    text,
)

from flow2api.adapters.persistence.account_mapping import row_to_account
from flow2api.adapters.persistence.accounts import ACCOUNTS
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.journal import LOG
from flow2api.adapters.persistence.rows.accounts import RESTING, STANDING
from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.adapters.persistence.tallies import TOTALS
from flow2api.domain.account import Account, AccountStatus
from flow2api.domain.ports.account_directory import LONGEST_SEARCH, AccountFilter, AccountPage, AccountUse
from flow2api.domain.statistics import Counts

_RESTS = (AccountStatus.DISABLED, AccountStatus.SUSPENDED, AccountStatus.COOLING_DOWN)
_NUMBER = select(func.count()).select_from(ACCOUNTS).scalar_subquery()
_COUNTED = ("images", "videos", "succeeded", "errors")
_MARKS = frozenset('",\\[]')
"""No tag has them; in the list of tags they stand between tags."""
_FEW = 1000
"""So many matches of a search are held at once; more are counted and paged through by themselves."""

_IS_IN_INDEX = text(f"({RESTING.text})")
_AMONG: BindParameter[Any] = bindparam("wanted", expanding=True)
_THESE = select(ACCOUNTS).where(ACCOUNTS.c.id.in_(_AMONG)).order_by(ACCOUNTS.c.id)
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
        instant = to_instant(now)
        rows = await self._database.read(lambda connection: _page(connection, wanted, instant, after, limit))
        return [row_to_account(row) for row in rows]

    async def count(self, wanted: AccountFilter, now: datetime) -> Mapping[AccountStatus, int]:
        instant = to_instant(now)
        return await self._database.read(lambda connection: _count(connection, wanted, instant))

    async def look(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> AccountPage:
        instant = to_instant(now)

        def step(connection: Connection) -> tuple[Sequence[RowMapping], Mapping[AccountStatus, int]]:
            by_text = wanted.text if wanted.tag is None else ""
            matches = _matches(connection, by_text, _FEW + 1) if by_text else []
            if not by_text or len(matches) > _FEW:
                return _page(connection, wanted, instant, after, limit), _count(connection, wanted, instant)
            standing = {row[0]: _standing(row[1:], instant) for row in matches}
            found = [number for number, status in standing.items() if wanted.status in (None, status)]
            counts = Counter(standing[number] for number in found)
            behind = sorted(number for number in found if number > after)[:limit]
            return _these(connection, behind), {status: counts[status] for status in AccountStatus}

        rows, counts = await self._database.read(step)
        return AccountPage([row_to_account(row) for row in rows], counts)

    async def use_of(self, account_ids: Sequence[int]) -> AccountUse:
        wanted = {"wanted": list(account_ids)}

        def step(connection: Connection) -> AccountUse:
            counted = connection.execute(_COUNTS, wanted).mappings()
            counts = {row["account_id"]: Counts(**{name: row[name] for name in _COUNTED}) for row in counted}
            used = connection.execute(_LAST_USED, wanted).all()
            return AccountUse(counts, {number: to_moment(at) for number, at in used if at is not None})

        return await self._database.read(step)


def _page(connection: Connection, wanted: AccountFilter, now: int, after: int, limit: int) -> Sequence[RowMapping]:
    found = (
        select(ACCOUNTS.c.id)
        .where(ACCOUNTS.c.id > after, *_conditions(wanted, now))
        .order_by(ACCOUNTS.c.id)
        .limit(limit)
    )
    page = select(ACCOUNTS).where(ACCOUNTS.c.id.in_(found.scalar_subquery())).order_by(ACCOUNTS.c.id)
    return connection.execute(page).mappings().all()


def _these(connection: Connection, account_ids: Sequence[int]) -> Sequence[RowMapping]:
    return connection.execute(_THESE, {"wanted": account_ids}).mappings().all() if account_ids else ()


def _matches(connection: Connection, searched: str, most: int) -> Sequence[Row[Any]]:
    """Ids of accounts that have the text, and until when they rest; read along the index that holds nothing else."""
    return connection.execute(
        select(ACCOUNTS.c.id, *(ACCOUNTS.c[name] for name in STANDING)).where(_has(searched)).limit(most)
    ).all()


def _count(connection: Connection, wanted: AccountFilter, now: int) -> Mapping[AccountStatus, int]:
    # Not grouped, for sorting the accounts by how they stand would cost more than all else.
    counts = [func.count().filter(_stands(status, now)) for status in _RESTS]
    if wanted.text or wanted.tag is not None:
        count = select(func.count(), *counts).select_from(ACCOUNTS).where(*_conditions(wanted, now))
    else:
        count = select(_NUMBER, *counts).select_from(ACCOUNTS).where(_IS_IN_INDEX)
    row = connection.execute(count).one()
    told = dict(zip(_RESTS, row[1:], strict=True))
    told[AccountStatus.ACTIVE] = row[0] - sum(told.values())
    return {status: told[status] if wanted.status in (None, status) else 0 for status in AccountStatus}


def _has(searched: str) -> ColumnElement[bool]:
    return ACCOUNTS.c.search_text.contains(searched[:LONGEST_SEARCH].casefold(), autoescape=True)


def _conditions(wanted: AccountFilter, now: int) -> list[ColumnElement[bool] | TextClause]:
    conditions: list[ColumnElement[bool] | TextClause] = []
    if wanted.text:
        conditions.append(_has(wanted.text))
    if wanted.status in _RESTS:
        conditions.append(_IS_IN_INDEX)
    if wanted.status is not None:
        conditions.append(_stands(wanted.status, now))
    if wanted.tag is not None and _MARKS & set(wanted.tag):
        conditions.append(false())
    elif wanted.tag is not None:
        # Tags are JSON strings without anything to escape. Every database can replace, and tells small letters from large.
        conditions.append(func.replace(ACCOUNTS.c.tags, f'"{wanted.tag}"', "") != ACCOUNTS.c.tags)
    return conditions


def _stands(status: AccountStatus, now: int) -> ColumnElement[bool]:
    """Whether an account stands like this: of several reasons for rest the gravest counts."""
    off, held, cooling = ACCOUNTS.c.disabled_until, ACCOUNTS.c.suspended_until, ACCOUNTS.c.cooling_until
    match status:
        case AccountStatus.DISABLED:
            return off > now
        case AccountStatus.SUSPENDED:
            return and_(off <= now, held > now)
        case AccountStatus.COOLING_DOWN:
            return and_(off <= now, held <= now, cooling > now)
        case AccountStatus.ACTIVE:
            return and_(off <= now, held <= now, cooling <= now)


def _standing(ends: Sequence[int], now: int) -> AccountStatus:
    """The same of an account of which it is known until when it is disabled, suspended, cooling down."""
    return next((status for status, until in zip(_RESTS, ends, strict=True) if until > now), AccountStatus.ACTIVE)


if TYPE_CHECKING:
    from flow2api.domain.ports.account_directory import AccountDirectory

    def _is_a_directory(directory: SqlAccountDirectory) -> AccountDirectory:
        return directory
