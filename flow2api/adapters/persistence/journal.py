"""Request log and statistics: taken in without waiting, written in batches behind the requests."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, or_, update

from flow2api.adapters.persistence.api_keys import API_KEYS
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import RequestLogRow, StatisticRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry

LOG = table_of(RequestLogRow)
STATISTICS = table_of(StatisticRow)

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

_Tallied = tuple[str, int, int, str]


@dataclass(slots=True)
class _Tally:
    images: int = 0
    videos: int = 0
    errors: int = 0


class _Pending:
    """What came in since the last flush."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.tallies: dict[_Tallied, _Tally] = {}
        self.used: dict[int, datetime] = {}

    def __bool__(self) -> bool:
        return bool(self.entries or self.tallies)

    def count(self, entry: LogEntry) -> bool:
        """Count the entry in the statistics of its day; False when there is no room for one more combination."""
        if entry.key_id is not None:
            self.used[entry.key_id] = max(entry.at, self.used.get(entry.key_id, entry.at))
        day = entry.at.astimezone(UTC).date().isoformat()
        counted = (day, entry.account_id or 0, entry.key_id or 0, entry.model)
        if counted not in self.tallies and len(self.tallies) >= ROOM:
            return False
        tally = self.tallies.setdefault(counted, _Tally())
        if entry.code is not None:
            tally.errors += 1
        elif entry.kind is MediaKind.IMAGE:
            tally.images += 1
        elif entry.kind is MediaKind.VIDEO:
            tally.videos += 1
        return True

    def absorb(self, later: "_Pending") -> int:
        """Take over what came in meanwhile; returns how many entries found no room."""
        self.entries += later.entries
        for counted, tally in later.tallies.items():
            mine = self.tallies.setdefault(counted, _Tally())
            mine.images += tally.images
            mine.videos += tally.videos
            mine.errors += tally.errors
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
        if len(self._pending.entries) < ROOM:
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
        rows, tallies = [_log_row(entry) for entry in taken.entries], _statistic_rows(taken.tallies)
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

    def _write(self, connection: Connection, rows: Sequence[Any], tallies: Sequence[Any], used: Sequence[Any]) -> None:
        if rows:
            connection.execute(insert(LOG), rows)
        if tallies:
            adding = self._database.insert(STATISTICS)
            sums = {name: STATISTICS.c[name] + adding.excluded[name] for name in ("images", "videos", "errors")}
            keys = [STATISTICS.c[name] for name in ("day", "account_id", "key_id", "model")]
            connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=sums), tallies)
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
    }


def _statistic_rows(tallies: dict[_Tallied, _Tally]) -> list[dict[str, Any]]:
    return [
        {
            "day": day,
            "account_id": account_id,
            "key_id": key_id,
            "model": model,
            "images": tally.images,
            "videos": tally.videos,
            "errors": tally.errors,
        }
        for (day, account_id, key_id, model), tally in tallies.items()
    ]


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import Journal

    def _is_a_journal(journal: SqlJournal) -> Journal:
        return journal
