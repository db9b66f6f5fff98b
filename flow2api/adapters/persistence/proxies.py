"""Egress proxies in the database, their credentials sealed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, RowMapping, bindparam, delete, insert, select, tuple_, update

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.changes import PROXY, note_changes
from flow2api.adapters.persistence.database import Database, Step
from flow2api.adapters.persistence.rows import AccountRow, ProxyAssignmentRow, ProxyRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError
from flow2api.domain.ports.proxies import Assignment
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import Proxy, ProxyHealth, ProxyState, changed_fields

PROXIES = table_of(ProxyRow)
ASSIGNMENTS = table_of(ProxyAssignmentRow)
ACCOUNTS = table_of(AccountRow)

BATCH = 500
"""How many assignments one step reads or writes."""

_ALL = select(PROXIES).order_by(PROXIES.c.name)
_GET = select(PROXIES).where(PROXIES.c.id == bindparam("wanted"))
_NAMED = select(PROXIES.c.id).where(PROXIES.c.name == bindparam("wanted"))
_SAVE = update(PROXIES).where(PROXIES.c.id == bindparam("of"))
_NAME = select(PROXIES.c.name).where(PROXIES.c.id == bindparam("wanted"))
_STATE = select(PROXIES.c.state).where(PROXIES.c.id == bindparam("wanted"))
_REMOVE = delete(PROXIES).where(PROXIES.c.id == bindparam("wanted"))
_UNASSIGN = delete(ASSIGNMENTS).where(ASSIGNMENTS.c.proxy == bindparam("named"))
_ASSIGNED = (
    select(ASSIGNMENTS)
    .where(tuple_(ASSIGNMENTS.c.account_id, ASSIGNMENTS.c.pool) > tuple_(bindparam("account"), bindparam("pool_name")))
    .order_by(ASSIGNMENTS.c.account_id, ASSIGNMENTS.c.pool)
    .limit(BATCH)
)
_PRESENT = select(ACCOUNTS.c.id).where(ACCOUNTS.c.id.in_(bindparam("among", expanding=True)))


class SqlProxies:
    """Proxies as rows."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def all(self) -> Sequence[Proxy]:
        rows = await self._database.read(lambda connection: connection.execute(_ALL).mappings().all())
        return [row_to_proxy(row, self._cipher) for row in rows]

    async def add(self, proxy: Proxy, audit: AuditEntry | None = None) -> Proxy:
        row = {"name": proxy.name, **settings_to_row(proxy, self._cipher), **health_to_row(proxy.health)}
        row["created_at"] = to_instant(proxy.created_at)

        def step(connection: Connection) -> int | None:
            if connection.execute(_NAMED, {"wanted": proxy.name}).first() is not None:
                return None
            made = connection.execute(insert(PROXIES), row).inserted_primary_key
            assert made is not None  # noqa: S101 - one row was inserted
            note_changes(connection, PROXY, made, self._clock.now())
            note_audit(connection, audit, made=proxy.name)
            return int(made[0])

        number = await self._database.write(step)
        if number is None:
            raise ConflictError(f"A proxy named {proxy.name!r} exists already. Choose another name.")
        return replace(proxy, id=number)

    async def save(self, proxy: Proxy, audit: AuditEntry | None = None, *, former: Proxy | None = None) -> None:
        row = settings_to_row(proxy, self._cipher)

        def step(connection: Connection) -> ChangedMeanwhileError | None:
            if former is not None and (fields := self._changed_fields(connection, former)):
                return ChangedMeanwhileError(fields)
            if connection.execute(_SAVE, {"of": proxy.id, **row}).rowcount:
                note_changes(connection, PROXY, (proxy.id,), self._clock.now())
                note_audit(connection, audit)
            return None

        if (refusal := await self._database.write(step)) is not None:
            raise refusal

    def _changed_fields(self, connection: Connection, former: Proxy) -> tuple[str, ...]:
        row = connection.execute(_GET, {"wanted": former.id}).mappings().first()
        return () if row is None else changed_fields(former, row_to_proxy(row, self._cipher))

    async def remove(self, proxy_id: int, audit: AuditEntry | None = None) -> bool:
        def step(connection: Connection) -> bool:
            name = connection.execute(_NAME, {"wanted": proxy_id}).scalar()
            if name is None:
                return False
            connection.execute(_REMOVE, {"wanted": proxy_id})
            connection.execute(_UNASSIGN, {"named": name})
            note_changes(connection, PROXY, (proxy_id,), self._clock.now())
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    async def note_health(self, health: Mapping[int, ProxyHealth]) -> None:
        rows = {proxy_id: health_to_row(each) for proxy_id, each in health.items()}

        def step(connection: Connection) -> None:
            changed = []
            for proxy_id, row in rows.items():
                before = connection.execute(_STATE, {"wanted": proxy_id}).scalar()
                connection.execute(_SAVE, {"of": proxy_id, **row})
                if before is not None and before != row["state"]:
                    changed.append(proxy_id)
            note_changes(connection, PROXY, changed, self._clock.now())

        if rows:
            await self._database.write(step)

    async def assignments(self) -> AsyncIterator[Mapping[Assignment, str]]:
        behind: Assignment = (-1, "")
        while rows := await self._database.read(_assigned_behind(behind)):
            yield {(row.account_id, row.pool): row.proxy for row in rows}
            behind = (rows[-1].account_id, rows[-1].pool)

    async def assign(self, chosen: Mapping[Assignment, str]) -> None:
        rows = [
            {"account_id": account_id, "pool": pool, "proxy": proxy} for (account_id, pool), proxy in chosen.items()
        ]
        setting = self._database.insert(ASSIGNMENTS)
        setting = setting.on_conflict_do_update(
            index_elements=[ASSIGNMENTS.c.account_id, ASSIGNMENTS.c.pool], set_={"proxy": setting.excluded.proxy}
        )

        def step_for(some: list[dict[str, Any]]) -> Step[None]:
            def step(connection: Connection) -> None:
                ids = {row["account_id"] for row in some}
                present = set(connection.execute(_PRESENT, {"among": list(ids)}).scalars())
                if kept := [row for row in some if row["account_id"] in present]:
                    connection.execute(setting, kept)

            return step

        for start in range(0, len(rows), BATCH):
            await self._database.write(step_for(rows[start : start + BATCH]))


def _assigned_behind(behind: Assignment) -> "Step[Sequence[Row[Any]]]":
    values = {"account": behind[0], "pool_name": behind[1]}
    return lambda connection: connection.execute(_ASSIGNED, values).all()


def settings_to_row(proxy: Proxy, cipher: Cipher) -> dict[str, Any]:
    """The columns that an operator may change."""
    return {
        "url": cipher.seal(proxy.url, place=_place(proxy.name)),
        "address": proxy.address,
        "pool": proxy.pool,
        "is_enabled": proxy.is_enabled,
    }


def health_to_row(health: ProxyHealth) -> dict[str, Any]:
    """The columns of a proxy's health."""
    return {
        "state": health.state.value,
        "since": to_instant(health.since),
        "checked_at": to_instant(health.checked_at),
        "latency_ms": health.latency_ms,
        "failures": health.failures,
        "egress": health.egress,
        "fault": health.fault,
    }


def row_to_proxy(row: RowMapping, cipher: Cipher) -> Proxy:
    """The proxy of a row."""
    return Proxy(
        id=row["id"],
        name=row["name"],
        url=cipher.open(row["url"], place=_place(row["name"])),
        address=row["address"],
        pool=row["pool"],
        is_enabled=row["is_enabled"],
        created_at=to_moment(row["created_at"]),
        health=ProxyHealth(
            state=ProxyState(row["state"]),
            since=to_moment(row["since"]),
            checked_at=to_moment(row["checked_at"]),
            latency_ms=row["latency_ms"],
            failures=row["failures"],
            egress=row["egress"],
            fault=row["fault"],
        ),
    )


def _place(name: str) -> str:
    return f"proxies.url:{name}"


if TYPE_CHECKING:
    from flow2api.domain.ports.proxies import Proxies

    def _is_proxies(proxies: SqlProxies) -> Proxies:
        return proxies
