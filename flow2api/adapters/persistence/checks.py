"""How the last checks of accounts went, read along the indexes of the timelines and of the request log."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, Table, bindparam, select

from flow2api.adapters.persistence.accounts import ACCOUNTS
from flow2api.adapters.persistence.journal import LOG
from flow2api.adapters.persistence.rows import HealthEventRow
from flow2api.adapters.persistence.rows.base import table_of, to_moment
from flow2api.domain.checks import RENEWALS, SHOWN, Check, latest, of_generation, of_renewal
from flow2api.domain.health import HealthKind

_EVENTS = table_of(HealthEventRow)
_LOOKED_AT = SHOWN + 10
"""So many of the newest rows of an account are looked at, whatever they tell: no account costs more than another."""

_AMONG: BindParameter[Any] = bindparam("wanted", expanding=True)


def _newest(table: Table, order: str, *names: str) -> Select[Any]:
    """The newest rows of each account, found by the account's index one account after the other."""
    inner = table.alias()
    newest = (
        select(inner.c.number)
        .where(inner.c.account_id == ACCOUNTS.c.id)
        .order_by(inner.c[order].desc())
        .limit(_LOOKED_AT)
        .correlate(ACCOUNTS)
        .scalar_subquery()
    )
    rows = select(ACCOUNTS.c.id, *(table.c[name] for name in names))
    return rows.select_from(ACCOUNTS).join(table, table.c.number.in_(newest)).where(ACCOUNTS.c.id.in_(_AMONG))


_RENEWALS = _newest(_EVENTS, "number", "at", "kind")
_GENERATIONS = _newest(LOG, "at", "at", "kind", "state", "status", "duration_ms", "waited_ms")


def last_checks(connection: Connection, account_ids: Sequence[int]) -> Mapping[int, Sequence[Check]]:
    """The last checks of these accounts; those without any are missing."""
    wanted, found = {"wanted": list(account_ids)}, defaultdict[int, list[Check]](list)
    for account_id, at, kind in connection.execute(_RENEWALS, wanted):
        if kind in RENEWALS:
            found[account_id].append(of_renewal(to_moment(at), HealthKind(kind)))
    for account_id, at, kind, state, status, duration_ms, waited_ms in connection.execute(_GENERATIONS, wanted):
        check = of_generation(to_moment(at), kind, state, status, duration_ms - waited_ms)
        if check is not None:
            found[account_id].append(check)
    return {account_id: latest(checks) for account_id, checks in found.items()}
