"""What a storage promises about things that come from elsewhere, asked of the fake and of SQLite."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flow2api.domain.audit import Actor, AuditEntry
from flow2api.domain.connection_token import ConnectionToken
from flow2api.domain.generation import State
from flow2api.domain.legacy import SOURCE, Total
from flow2api.domain.ports.storage import Storage
from flow2api.domain.request_log import LogFilter, LoggedRequest
from flow2api.domain.statistics import Counts, Dimension, Scope
from tests.fakes.clock import FakeClock
from tests.fakes.storage import FakeStorage
from tests.integration.persistence.databases import NOW, generation_of, storage_at

TOKEN = ConnectionToken(prefix="f2c_abcdef", digest=b"\x00\xff" * 16, created_at=NOW)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture(params=["fake", "sqlite"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Storage]:
    made: Storage = FakeStorage(clock) if request.param == "fake" else storage_at(tmp_path / "flow2api.db", clock)
    await made.open()
    yield made
    await made.aclose()


@pytest.fixture
async def sqlite(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Storage]:
    made = storage_at(tmp_path / "flow2api.db", clock)
    await made.open()
    yield made
    await made.aclose()


def line(number: int, at: datetime) -> LoggedRequest:
    return LoggedRequest(
        number=0, at=at, request_id=f"old_server_{number}", key_id=None, door=SOURCE, model=SOURCE, kind="image",
        account_id=3, generation_id=None, state="failed", status=429, code="upstream_rate_limited", message=None,
        attempts=0, waited_ms=0, duration_ms=1500, results=0, prompt=None,
    )  # fmt: skip


async def test_generations_are_added_once(storage: Storage) -> None:
    old = replace(generation_of("gen_old"), state=State.COMPLETED)
    assert await storage.inheritance.add_generations([old, old]) == 1

    assert await storage.inheritance.add_generations([replace(old, prompt="changed"), generation_of("gen_new")]) == 1

    kept = await storage.generations.get("gen_old")
    assert kept is not None
    assert kept.prompt == old.prompt, "what is there stays"
    assert await storage.inheritance.add_generations([]) == 0


async def test_log_lines_are_added_once(storage: Storage, clock: FakeClock) -> None:
    lines = [line(number, clock.now() - timedelta(minutes=number)) for number in range(1, 6)]
    assert await storage.inheritance.add_log(lines[:3]) == 3

    assert await storage.inheritance.add_log(lines) == 2
    assert await storage.inheritance.add_log(lines) == 0
    assert await storage.inheritance.add_log([line(1, clock.now())]) == 1, "the same id of another file"


async def test_inherited_lines_stand_before_our_own_in_the_order_of_time(sqlite: Storage, clock: FakeClock) -> None:
    now = clock.now()
    await sqlite.inheritance.add_log([line(number, now - timedelta(hours=number)) for number in (2, 1, 3)])

    page = await sqlite.request_log.page(LogFilter(), None, 10)

    assert [one.request_id for one in page] == ["old_server_1", "old_server_2", "old_server_3"]
    assert [one.number for one in page] == sorted((one.number for one in page), reverse=True)
    assert all(one.number < 0 for one in page)
    assert replace(page[0], number=0) == line(1, now - timedelta(hours=1))


async def test_totals_are_replaced_and_counted_once(sqlite: Storage) -> None:
    first = [Total(3, "2026-03-01", 7, 5, 1), Total(3, "2026-11-23", 3, 0, 2), Total(4, "2026-03-01", 1, 0, 0)]
    await sqlite.inheritance.set_totals(first)

    await sqlite.inheritance.set_totals([Total(3, "2026-03-01", 8, 5, 1), Total(3, "2026-11-24", 3, 0, 2)])
    await sqlite.inheritance.set_totals([])

    counts = (await sqlite.statistics.totals(None, Scope(account_id=3)))[""]
    assert (counts.images, counts.videos, counts.succeeded, counts.errors) == (11, 5, 16, 3)
    days = await sqlite.statistics.by_day("2026-01-01", "2026-12-31", Scope(account_id=3))
    assert {day: one.images for day, one in days.items()} == {"2026-03-01": 8, "2026-11-24": 3}
    assert (await sqlite.statistics.totals(None, Scope(account_id=4)))[""].images == 1
    of_each = await sqlite.statistics.totals(Dimension.ACCOUNT, Scope())
    assert (await sqlite.statistics.totals(None, Scope()))[""] == sum(of_each.values(), Counts())


async def test_connection_token_is_kept_replaced_and_removed(storage: Storage) -> None:
    assert await storage.connection_tokens.current() is None

    await storage.connection_tokens.replace(TOKEN)
    assert await storage.connection_tokens.current() == TOKEN
    other = replace(TOKEN, prefix="", digest=b"1" * 32)
    await storage.connection_tokens.replace(other)
    assert await storage.connection_tokens.current() == other
    await storage.connection_tokens.replace(None)
    assert await storage.connection_tokens.current() is None


async def test_change_of_the_connection_token_is_audited(storage: Storage) -> None:
    entry = AuditEntry(at=NOW, actor=Actor(name="ada", door="admin_api"), action="connection_token.made")

    await storage.connection_tokens.replace(TOKEN, entry)

    (written,) = await storage.audit_log.page(before=None, limit=5)
    assert (written.action, written.actor.name) == ("connection_token.made", "ada")
