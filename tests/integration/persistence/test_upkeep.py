"""Forgetting what is old, and what the journal leaves in the tables."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from flow2api.adapters.persistence import SqlStorage
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import IdempotencyClaim, LogEntry
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.samples import generation_of, key_of
from tests.integration.persistence.databases import storage_at


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
async def storage(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    made = storage_at(tmp_path / "flow2api.db", clock)
    await made.open()
    yield made
    await made.aclose()


async def count(storage: SqlStorage, table: str) -> int:
    def step(connection: Connection) -> int:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    return await storage._database.read(step)


async def test_old_changes_are_forgotten_at_the_next_start_but_the_newest(
    storage: SqlStorage, clock: FakeClock, tmp_path: Path
) -> None:
    for value in range(3):
        await storage.options.write({"a": value}, "operator")
    clock.advance(8 * 24 * 3600)

    again = storage_at(tmp_path / "flow2api.db", clock)
    await again.open()

    assert [change.number for change in await again.changes.since(0)] == [3]
    assert await again.changes.latest() == 3
    await again.options.write({"a": 9}, "operator")
    assert await again.changes.latest() == 4
    await again.aclose()


async def test_expired_claims_are_forgotten(storage: SqlStorage, clock: FakeClock) -> None:
    claim = IdempotencyClaim(1, "k", b"\x00" * 32, "req", clock.now() + timedelta(hours=1))
    await storage.generations.add([generation_of("gen_1")], claim)
    await storage._forget_old()
    assert await count(storage, "idempotency_claims") == 1

    clock.advance(3600)
    await storage._forget_old()

    assert await count(storage, "idempotency_claims") == 0


async def test_key_is_marked_as_used_by_the_journal_and_not_set_back_by_a_save(
    storage: SqlStorage, clock: FakeClock, tmp_path: Path
) -> None:
    key = await storage.api_keys.add(key_of("a"))
    entry = LogEntry(clock.now(), "req", key.id, "images", "m", 1, "gen", "completed", None, 12, MediaKind.IMAGE)
    storage.journal.note(entry)
    storage.journal.note(replace(entry, at=clock.now() - timedelta(hours=1)))
    await storage.aclose()

    again = storage_at(tmp_path / "flow2api.db", clock)
    await again.open()
    await again.api_keys.save(replace(key, name="renamed"))

    (kept,) = await again.api_keys.all()
    assert (kept.name, kept.last_used_at) == ("renamed", clock.now())
    await again.aclose()
