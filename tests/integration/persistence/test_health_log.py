"""The timeline of accounts is written behind the requests: bounded, and as soon as the database lets it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from flow2api.adapters.persistence import SqlStorage, health
from flow2api.adapters.persistence.health import SqlHealthLog
from flow2api.domain.errors import StorageBusyError
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.testing.fakes.clock import FakeClock
from tests.integration.persistence.databases import storage_at

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    made = storage_at(tmp_path / "flow2api.db", FakeClock())
    await made.open()
    yield made
    await made.aclose()


def event(account_id: int = 1, cause: str = "") -> HealthEvent:
    return HealthEvent(account_id, NOW, HealthKind.ACCESS_RENEWED, cause=cause)


async def count(storage: SqlStorage) -> int:
    def step(connection: Connection) -> int:
        return int(connection.exec_driver_sql("SELECT count(*) FROM health_events").scalar_one())

    return await storage._database.read(step)


async def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    storage = storage_at(tmp_path / "flow2api.db", FakeClock())
    await storage.open()
    for number in range(1234):
        storage.health.note(event(cause=str(number)))
    await storage.aclose()

    again = storage_at(tmp_path / "flow2api.db", FakeClock())
    await again.open()
    assert await count(again) == 1234
    assert (await again.health.page(1, limit=1)).items[0].cause == "1233"
    await again.aclose()


async def test_holds_so_many_and_drops_and_counts_the_rest(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ROOM", 10)
    log = SqlHealthLog(storage._database)
    for _ in range(15):
        log.note(event())
    assert (log.dropped, len(log._pending)) == (5, 10)


async def test_database_that_refuses_gets_them_later_in_their_order(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(health, "FLUSH_INTERVAL_S", 0.01)
    monkeypatch.setattr(health, "PAUSE_AFTER_FAILURE_S", 0.01)
    original, refusals = storage._database.write, 3

    async def refusing(step: object) -> object:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise StorageBusyError("locked")
        return await original(step)  # type: ignore[arg-type]

    monkeypatch.setattr(storage._database, "write", refusing)
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            storage.health.note(event(cause=str(number)))
        async with asyncio.timeout(10):
            while await count(storage) < 3:
                await asyncio.sleep(0.01)
    assert [one.cause for one in (await storage.health.page(1, limit=9)).items] == ["2", "1", "0"]
    assert sum("wait" in one.getMessage() for one in caplog.records) == 1


async def test_old_ones_are_deleted_in_steps(storage: SqlStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, original = 0, storage._database.write

    async def counting(step: object) -> object:
        nonlocal writes
        writes += 1
        return await original(step)  # type: ignore[arg-type]

    rows = [{**health._event_to_row(event()), "at": number} for number in range(5000)]
    await storage._database.write(lambda connection: connection.execute(health._INSERT, rows))
    monkeypatch.setattr(storage._database, "write", counting)

    assert await storage.health.forget(NOW - timedelta(days=1)) == 5000
    assert writes == 4
    assert await count(storage) == 0
