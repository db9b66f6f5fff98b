"""The timeline of accounts in the database: taken in without waiting, written in batches behind the requests."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from flow2api.adapters.persistence.checks import last_checks
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import HealthEventRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.account import CallKind, RestReason
from flow2api.domain.checks import Check
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.domain.ports.storage import Page

EVENTS = table_of(HealthEventRow)

FLUSH_INTERVAL_S = 0.5
FLUSH_ROWS = 500
ROOM = 10_000
"""Events that may wait, some megabytes; further ones are dropped and counted."""

PAUSE_AFTER_FAILURE_S = 1.0
FORGET_AT_ONCE = 2_000
LONGEST_CAUSE = 500

_log = logging.getLogger(__name__)

_INSERT = insert(EVENTS)
_PAGE = (
    select(EVENTS)
    .where(EVENTS.c.account_id == bindparam("of"), EVENTS.c.number < bindparam("behind"))
    .order_by(EVENTS.c.number.desc())
    .limit(bindparam("most"))
)
_OLD = select(EVENTS.c.number).where(EVENTS.c.at < bindparam("before")).order_by(EVENTS.c.at).limit(FORGET_AT_ONCE)
_FORGET = delete(EVENTS).where(EVENTS.c.number.in_(_OLD))
_NEWEST = 2**62


class SqlHealthLog:
    """Flushes every half second while something waits, or at 500 events. While the database refuses, it keeps trying.

    Attributes:
        dropped: Events that found no room, since the start.
    """

    def __init__(self, database: Database, *, interval_s: float = FLUSH_INTERVAL_S) -> None:
        self.dropped = 0
        self._database = database
        self._interval_s = interval_s
        self._pending: list[HealthEvent] = []
        self._arrived = asyncio.Event()
        self._enough = asyncio.Event()
        self._closing = asyncio.Event()
        self._is_refused = False
        self._task: asyncio.Task[None] | None = None

    def note(self, event: HealthEvent) -> None:
        if len(self._pending) >= ROOM:
            self.dropped += 1
            return
        self._pending.append(event)
        self._arrived.set()
        if len(self._pending) >= FLUSH_ROWS:
            self._enough.set()

    async def page(self, account_id: int, *, before: int | None = None, limit: int) -> Page[HealthEvent]:
        asked = {"of": account_id, "behind": _NEWEST if before is None else before, "most": limit + 1}
        rows = await self._database.read(lambda connection: connection.execute(_PAGE, asked).mappings().all())
        return Page(tuple(_row_to_event(row) for row in rows[:limit]), has_more=len(rows) > limit)

    async def last_checks(self, account_ids: Sequence[int]) -> Mapping[int, Sequence[Check]]:
        return await self._database.read(lambda connection: last_checks(connection, account_ids))

    async def forget(self, before: datetime) -> int:
        forgotten, old = 0, {"before": to_instant(before)}
        while deleted := await self._database.write(lambda connection: connection.execute(_FORGET, old).rowcount):
            forgotten += deleted
        return forgotten

    def start(self) -> None:
        """Begin to flush; events noted before wait for it."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="health log")

    async def aclose(self) -> None:
        """Write what is waiting, if the database lets us, and stop."""
        self._closing.set()
        self._arrived.set()
        self._enough.set()
        if self._task is not None:
            await self._task
        if self._pending:
            _log.warning("%d events of accounts' health could not be written before the end", len(self._pending))

    async def _run(self) -> None:
        while self._pending or not self._closing.is_set():
            await self._arrived.wait()
            await _at_most(self._interval_s, self._enough)
            if not await self._flush():
                if self._closing.is_set():
                    return
                await _at_most(PAUSE_AFTER_FAILURE_S, self._closing)

    async def _flush(self) -> bool:
        self._arrived.clear()
        self._enough.clear()
        taken = self._pending[:FLUSH_ROWS]
        if not taken:
            return True
        try:
            await self._database.write(lambda connection: _write(connection, taken))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the log
            if not self._is_refused:
                _log.warning("events of accounts' health wait, the database refused them: %s", error)
            self._is_refused = True
            self._arrived.set()
            self._enough.set()
            return False
        self._is_refused = False
        del self._pending[: len(taken)]
        if self._pending:
            self._arrived.set()
            self._enough.set()
        return True


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _write(connection: Connection, events: list[HealthEvent]) -> None:
    connection.execute(_INSERT, [_event_to_row(event) for event in events])


def _event_to_row(event: HealthEvent) -> dict[str, Any]:
    return {
        "account_id": event.account_id,
        "at": to_instant(event.at),
        "kind": event.kind.value,
        "reason": None if event.reason is None else event.reason.value,
        "model": event.model,
        "call": None if event.call is None else event.call.value,
        "until": to_instant(event.until),
        "cause": event.cause[:LONGEST_CAUSE],
        "by": event.by,
    }


def _row_to_event(row: RowMapping) -> HealthEvent:
    return HealthEvent(
        account_id=row["account_id"],
        at=to_moment(row["at"]),
        kind=HealthKind(row["kind"]),
        reason=None if row["reason"] is None else RestReason(row["reason"]),
        model=row["model"],
        call=None if row["call"] is None else CallKind(row["call"]),
        until=to_moment(row["until"]),
        cause=row["cause"],
        by=row["by"],
        number=row["number"],
    )


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import HealthLog, TellsChecks

    def _is_a_health_log(log: SqlHealthLog) -> HealthLog:
        return log

    def _tells_checks(log: SqlHealthLog) -> TellsChecks:
        return log
