"""Request log and statistics: taken in without waiting, written in batches behind the requests."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, or_, update

from flow2api.adapters.persistence.api_keys import API_KEYS
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.hot_statement import HotStatement
from flow2api.adapters.persistence.rows import RequestLogRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant
from flow2api.adapters.persistence.tallies import OVERALL, QUARTERS, TOTALS, Tallies, add_figures
from flow2api.domain.ports.storage import LogEntry

LOG = table_of(RequestLogRow)

FLUSH_INTERVAL_S = 0.2
FLUSH_ROWS = 500
ROOM = 10_000
"""Entries that may wait, some megabytes; further ones are counted in the statistics but not logged one by one."""

PAUSE_AFTER_FAILURE_S = 1.0

_log = logging.getLogger(__name__)

_USED = (
    update(API_KEYS)
    .where(
        API_KEYS.c.id == bindparam("of"),
        or_(API_KEYS.c.last_used_at.is_(None), API_KEYS.c.last_used_at < bindparam("used_at")),
    )
    .values(last_used_at=bindparam("used_at"))
)

_UNAUTHENTICATED = 401
_LINE = HotStatement(insert(LOG), (column.name for column in LOG.c if column.name != "number"))


class _Pending:
    """What came in since the last flush."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.tallies = Tallies(ROOM)
        self.used: dict[int, datetime] = {}

    def __bool__(self) -> bool:
        return bool(self.entries or self.tallies)

    def count(self, entry: LogEntry) -> bool:
        """Count the entry in the statistics of its time; False when there is no room for one more combination."""
        if entry.key_id is not None:
            self.used[entry.key_id] = max(entry.at, self.used.get(entry.key_id, entry.at))
        return self.tallies.count(entry)

    def absorb(self, later: "_Pending") -> int:
        """Take over what came in meanwhile; returns how many entries found no room."""
        self.entries += later.entries
        self.tallies.absorb(later.tallies)
        for key_id, at in later.used.items():
            self.used[key_id] = max(at, self.used.get(key_id, at))
        excess = len(self.entries[ROOM:])
        del self.entries[ROOM:]
        return excess


class SqlJournal:
    """Flushes every 200 ms while something waits, or at 500 entries. While the database refuses, it keeps trying.

    Attributes:
        dropped: Entries that found no room, since the start.
    """

    def __init__(self, database: Database, *, interval_s: float = FLUSH_INTERVAL_S) -> None:
        self.dropped = 0
        self._database = database
        self._interval_s = interval_s
        self._pending = _Pending()
        self._arrived = asyncio.Event()
        self._enough = asyncio.Event()
        self._closing = asyncio.Event()
        self._is_refused = False
        self._task: asyncio.Task[None] | None = None

    def note(self, entry: LogEntry) -> None:
        try:
            self._take(entry)
        except Exception:  # noqa: BLE001 - a request must never fail for its log entry
            self.dropped += 1
            _log.exception("a request log entry could not be taken in")

    def start(self) -> None:
        """Begin to flush; entries noted before wait for it."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="journal")

    async def aclose(self) -> None:
        """Write what is waiting, if the database lets us, and stop."""
        self._closing.set()
        self._arrived.set()
        self._enough.set()
        if self._task is not None:
            await self._task
        if self._pending.entries:
            _log.warning(
                "%d entries of the request log could not be written before the end", len(self._pending.entries)
            )

    def _take(self, entry: LogEntry) -> None:
        counted = self._pending.count(entry)
        if entry.status == _UNAUTHENTICATED:
            pass  # whoever tries keys must not fill the log
        elif len(self._pending.entries) < ROOM:
            self._pending.entries.append(entry)
        else:
            counted = False
        self.dropped += not counted
        self._arrived.set()
        if len(self._pending.entries) >= FLUSH_ROWS:
            self._enough.set()

    async def _run(self) -> None:
        while self._pending or not self._closing.is_set():
            await self._arrived.wait()
            await _at_most(self._interval_s, self._enough)
            if not await self._flush():
                if self._closing.is_set():
                    return
                await _at_most(PAUSE_AFTER_FAILURE_S, self._closing)

    async def _flush(self) -> bool:
        if not self._pending:
            return True
        taken, self._pending = self._pending, _Pending()
        self._arrived.clear()
        self._enough.clear()
        rows, tallies = [_log_row(entry) for entry in taken.entries], taken.tallies
        used = [{"of": key_id, "used_at": to_instant(at)} for key_id, at in taken.used.items()]
        try:
            await self._database.write(lambda connection: self._write(connection, rows, tallies, used))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the journal
            if not self._is_refused:
                _log.warning("the request log waits, the database refused it: %s", error)
            self._is_refused = True
            self.dropped += taken.absorb(self._pending)
            self._pending = taken
            self._arrived.set()
            self._enough.set()
            return False
        if self._is_refused:
            _log.info("the request log is written again")
        self._is_refused = False
        return True

    def _write(self, connection: Connection, rows: Sequence[Any], tallies: Tallies, used: Sequence[Any]) -> None:
        if rows:
            _LINE.execute_many(connection, rows)
        add_figures(self._database, connection, QUARTERS, tallies.of_quarters())
        add_figures(self._database, connection, TOTALS, tallies.of_totals())
        add_figures(self._database, connection, OVERALL, tallies.of_all())
        if used:
            connection.execute(_USED, used)


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _log_row(entry: LogEntry) -> dict[str, Any]:
    return {
        "at": to_instant(entry.at),
        "request_id": entry.request_id,
        "key_id": entry.key_id,
        "door": entry.door,
        "model": entry.model,
        "account_id": entry.account_id,
        "generation_id": entry.generation_id,
        "state": entry.state,
        "code": entry.code,
        "duration_ms": entry.duration_ms,
        "kind": None if entry.kind is None else entry.kind.value,
        "status": entry.status,
        "message": entry.message,
        "prompt": entry.prompt,
        "body": entry.body,
        "attempts": entry.attempts,
        "waited_ms": entry.waited_ms,
        "results": entry.results,
    }


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import Journal

    def _is_a_journal(journal: SqlJournal) -> Journal:
        return journal
