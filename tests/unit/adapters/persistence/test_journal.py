import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Connection, Table, create_engine, literal, select
from sqlalchemy.dialects.sqlite import Insert, insert

from flow2api.adapters.persistence import journal as module
from flow2api.adapters.persistence.database import Step
from flow2api.adapters.persistence.journal import LOG, SqlJournal
from flow2api.adapters.persistence.rows import Row
from flow2api.adapters.persistence.tallies import QUARTERS, TOTALS
from flow2api.domain.errors import StorageBusyError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry

NOW = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
ENTRY = LogEntry(NOW, "req_1", 1, "images", "m", 7, "gen_1", "completed", None, 12, MediaKind.IMAGE, results=1)


class MemoryDatabase:
    """A database in memory that can be made to refuse."""

    origin = "memory"

    def __init__(self) -> None:
        self._engine = create_engine("sqlite://")
        self.connection: Connection = self._engine.connect()
        Row.metadata.create_all(self.connection)
        self.connection.commit()
        self.fault: Exception | None = None
        self.writes = 0

    @property
    def now(self) -> ColumnElement[int]:
        return literal(0)

    def insert(self, table: Table) -> Insert:
        return insert(table)

    def tell_of_changes(self, listener: Callable[[], None]) -> None:
        raise NotImplementedError("a journal notes no changes")

    async def read(self, step: Step[Any]) -> Any:
        return step(self.connection)

    async def write(self, step: Step[Any]) -> Any:
        await asyncio.sleep(0)
        self.writes += 1
        if self.fault is not None:
            raise self.fault
        with self.connection.begin():
            return step(self.connection)

    def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        query = select(*(table.c[name] for name in columns)).order_by(*table.primary_key)
        with self.connection.begin():
            return [tuple(row) for row in self.connection.execute(query)]

    def close(self) -> None:
        self.connection.close()
        self._engine.dispose()


@pytest.fixture
async def database() -> AsyncIterator[MemoryDatabase]:
    made = MemoryDatabase()
    yield made
    made.close()


@pytest.fixture
async def journal(database: MemoryDatabase) -> AsyncIterator[SqlJournal]:
    made = SqlJournal(database, interval_s=60)
    yield made
    await made.aclose()


async def until(met: Any) -> None:
    for _ in range(2000):
        if met():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came true")


async def test_waits_for_more_until_the_interval_is_over(database: MemoryDatabase) -> None:
    journal = SqlJournal(database, interval_s=0.02)
    journal.start()
    journal.note(ENTRY)
    await asyncio.sleep(0)
    assert database.writes == 0

    await until(lambda: database.writes == 1)

    assert database.rows(LOG, "request_id", "state") == [("req_1", "completed")]
    await journal.aclose()
    assert database.writes == 1


async def test_flushes_at_five_hundred_entries(database: MemoryDatabase, journal: SqlJournal) -> None:
    journal.start()
    for _ in range(500):
        journal.note(ENTRY)

    await until(lambda: len(database.rows(LOG, "number")) == 500)

    assert database.writes == 1


async def test_end_writes_what_is_waiting(database: MemoryDatabase, journal: SqlJournal) -> None:
    journal.start()
    journal.note(ENTRY)

    await journal.aclose()

    assert len(database.rows(LOG, "number")) == 1


async def test_keeps_every_field(database: MemoryDatabase, journal: SqlJournal) -> None:
    journal.start()
    journal.note(
        replace(
            ENTRY, status=502, message="It broke.", attempts=3, waited_ms=7, results=2, prompt="a cat", body='{"n": 1}'
        )
    )
    await journal.aclose()

    (row,) = database.rows(LOG, *(column.name for column in LOG.c if column.name not in {"number", "at"}))

    assert row == (
        "req_1", 1, "images", "m", 7, "gen_1", "completed", None, 12, "image", 502, "It broke.", "a cat", '{"n": 1}', 3, 7, 2
    )  # fmt: skip


async def test_counts_by_quarter_account_key_and_model(database: MemoryDatabase, journal: SqlJournal) -> None:
    journal.start()
    for entry in (
        ENTRY,
        replace(ENTRY, results=3),
        replace(ENTRY, kind=MediaKind.VIDEO),
        replace(ENTRY, state="failed", code="upstream_error", results=0),
        replace(ENTRY, state="cancelled", code="cancelled", results=0),
        replace(ENTRY, at=NOW + timedelta(seconds=1)),
        replace(ENTRY, key_id=None, account_id=None, state="failed", code="rate_limit_exceeded"),
        replace(ENTRY, account_id=None, state="refused", model="whatever", code="model_not_found"),
    ):
        journal.note(entry)
    await journal.aclose()

    counters = ("account_id", "key_id", "model", "images", "videos", "succeeded", "errors", "cancelled", "refused")
    quarter = int(NOW.timestamp()) // 900
    assert database.rows(QUARTERS, "quarter", *counters) == [
        (quarter, 0, 0, "m", 0, 0, 0, 1, 0, 0),
        (quarter, 0, 1, "", 0, 0, 0, 0, 0, 1),
        (quarter, 7, 1, "m", 4, 1, 3, 1, 1, 0),
        (quarter + 1, 7, 1, "m", 1, 0, 1, 0, 0, 0),
    ]
    assert database.rows(TOTALS, *counters) == [
        (0, 0, "m", 0, 0, 0, 1, 0, 0),
        (0, 1, "", 0, 0, 0, 0, 0, 1),
        (7, 1, "m", 5, 1, 4, 1, 1, 0),
    ]


@pytest.mark.parametrize(
    ("duration_ms", "place"), [(0, 0), (500, 0), (501, 1), (1000, 1), (900_000, 10), (900_001, 11), (10**8, 11)]
)
async def test_durations_of_what_ended_well_are_counted_by_classes(
    database: MemoryDatabase, journal: SqlJournal, duration_ms: int, place: int
) -> None:
    journal.start()
    journal.note(replace(ENTRY, duration_ms=duration_ms, waited_ms=3))
    journal.note(replace(ENTRY, duration_ms=duration_ms, state="failed", code="upstream_error"))
    await journal.aclose()

    (row,) = database.rows(TOTALS, "duration_ms", "waited_ms", *(f"took_{number}" for number in range(12)))

    assert row == (duration_ms, 3, *(int(number == place) for number in range(12)))


async def test_wrong_keys_are_counted_but_fill_no_log(database: MemoryDatabase, journal: SqlJournal) -> None:
    journal.start()
    for _ in range(20):
        journal.note(replace(ENTRY, key_id=None, account_id=None, state="refused", code="invalid_api_key", status=401))
    await journal.aclose()

    assert database.rows(LOG, "number") == []
    assert database.rows(TOTALS, "refused") == [(20,)]


async def test_sums_go_on_with_every_flush(database: MemoryDatabase, journal: SqlJournal) -> None:
    journal.start()
    for _ in range(3):
        for _ in range(500):
            journal.note(ENTRY)
        await until(lambda: len(database.rows(LOG, "number")) % 500 == 0 and not journal._pending)

    assert database.rows(TOTALS, "images") == [(1500,)]
    assert database.writes == 3


async def test_keeps_entries_while_the_database_refuses(
    database: MemoryDatabase, journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_AFTER_FAILURE_S", 0.001)
    database.fault = StorageBusyError("locked")
    journal.start()
    for _ in range(600):
        journal.note(ENTRY)
    await until(lambda: database.writes >= 1)
    database.fault = None

    await until(lambda: len(database.rows(LOG, "number")) == 600)

    assert journal.dropped == 0
    assert database.rows(TOTALS, "images") == [(600,)]


async def test_refusal_and_its_end_are_told_once(
    database: MemoryDatabase, journal: SqlJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(module, "PAUSE_AFTER_FAILURE_S", 0.001)
    journal._interval_s = 0.001
    journal.start()
    for _ in range(2):
        database.fault = StorageBusyError("locked")
        writes = database.writes
        journal.note(ENTRY)
        await until(lambda writes=writes: database.writes >= writes + 5)
        database.fault = None
        await until(lambda: not journal._pending)

    await until(lambda: len(database.rows(LOG, "number")) == 2)

    told = [record.message for record in caplog.records if record.name == module.__name__]
    assert told == 2 * [
        "the request log waits, the database refused it: locked",
        "the request log is written again",
    ]


async def test_drops_detail_first_when_full_and_counts_it(database: MemoryDatabase, journal: SqlJournal) -> None:
    for number in range(module.ROOM + 30):
        journal.note(replace(ENTRY, request_id=f"req_{number}"))
    assert journal.dropped == 30
    journal.start()
    await journal.aclose()

    assert len(database.rows(LOG, "number")) == module.ROOM
    assert database.rows(TOTALS, "images") == [(module.ROOM + 30,)]


async def test_stays_within_its_room_however_long_the_database_refuses(
    database: MemoryDatabase, journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_AFTER_FAILURE_S", 0.001)
    monkeypatch.setattr(module, "ROOM", 700)
    database.fault = StorageBusyError("locked")
    journal.start()
    for number in range(2000):
        journal.note(replace(ENTRY, request_id=f"req_{number}"))
        if number % 100 == 0:
            await asyncio.sleep(0.002)
    await until(lambda: len(journal._pending.entries) <= 700 and journal.dropped >= 1300)

    await journal.aclose()
    assert database.rows(LOG, "number") == []


async def test_never_raises_whatever_it_is_given(journal: SqlJournal) -> None:
    journal.note(None)  # type: ignore[arg-type]

    assert journal.dropped == 1


async def test_end_without_a_beginning_does_no_harm(journal: SqlJournal) -> None:
    await journal.aclose()
