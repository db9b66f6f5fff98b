"""Kills, locks, full disks, and callers that go away."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from flow2api.adapters.persistence import SqlStorage
from flow2api.domain.errors import ConflictError, StorageBusyError, StorageFullError
from flow2api.domain.generation import State
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.statistics import Scope
from flow2api.testing.samples import NOW, account_of, credentials_of, generation_of, key_of, media_of
from tests.integration.persistence.databases import storage_at

PROJECT = Path(__file__).parents[3]

WRITES_UNTIL_IT_IS_KILLED = """
import asyncio, os, pathlib, sys
from flow2api.testing.samples import NOW, account_of, credentials_of, generation_of, media_of
from tests.integration.persistence.databases import storage_at

async def client(storage, number):
    for turn in range(100_000):
        begun = generation_of(f"gen_{number}_{turn}")
        await storage.generations.add([begun])
        os.write(1, f"added {begun.id}\\n".encode())
        await storage.generations.save(begun.completed((), NOW, None), [media_of(f"med_{number}_{turn}")])
        os.write(1, f"saved {begun.id}\\n".encode())

async def main():
    storage = storage_at(pathlib.Path(sys.argv[1]))
    await storage.open()
    await asyncio.gather(*(client(storage, number) for number in range(16)))

asyncio.run(main())
"""


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    made = storage_at(tmp_path / "flow2api.db", busy_timeout_s=0.2)
    await made.open()
    yield made
    await made.aclose()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[SqlStorage, SqlStorage]]:
    """Two storages over one file, as patient as those of servers."""
    first, second = storage_at(tmp_path / "shared.db"), storage_at(tmp_path / "shared.db")
    await first.open()
    await second.open()
    yield first, second
    await first.aclose()
    await second.aclose()


@pytest.mark.parametrize("lines", [1, 2000])
async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "flow2api.db"
    child = subprocess.Popen(
        [sys.executable, "-c", WRITES_UNTIL_IT_IS_KILLED, str(path)], stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(lines)]
    os.kill(child.pid, signal.SIGKILL)
    said += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    done = [line.decode().split() for line in said if line.endswith(b"\n")]
    assert len(done) >= lines

    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    storage = storage_at(path)
    await storage.open()
    states = {row[0]: row[1] for row in await storage._database.read(_states)}
    media = {row[0] for row in await storage._database.read(_media)}
    await storage.aclose()
    for what, generation_id in done:
        assert generation_id in states
        if what == "saved":
            assert states[generation_id] == "completed"
            assert generation_id.replace("gen", "med") in media
    # A save and its media are one step: neither is there without the other.
    completed = {generation_id for generation_id, state in states.items() if state == "completed"}
    assert {generation_id.replace("gen", "med") for generation_id in completed} == media


def _states(connection: Connection) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.exec_driver_sql("SELECT id, state FROM generations")]


def _media(connection: Connection) -> list[tuple[str]]:
    return [(row[0],) for row in connection.exec_driver_sql("SELECT id FROM media")]


ROTATES_UNTIL_IT_IS_KILLED = """
import asyncio, dataclasses, os, pathlib, sys
from flow2api.testing.samples import key_of
from tests.integration.persistence.databases import storage_at

async def main():
    storage = storage_at(pathlib.Path(sys.argv[1]))
    await storage.open()
    key = await storage.api_keys.add(key_of("shop", b"0"))
    for turn in range(1, 100_000):
        former, new = dataclasses.replace(key, name=f"shop {turn}"), key_of("shop", f"{turn}".encode())
        key = await storage.api_keys.replace(former, dataclasses.replace(new, first_id=1), former=key)
        os.write(1, f"{turn}\\n".encode())

asyncio.run(main())
"""


def test_kill_in_the_middle_of_rotations_leaves_neither_two_keys_of_the_name_nor_none(tmp_path: Path) -> None:
    path = tmp_path / "flow2api.db"
    child = subprocess.Popen(
        [sys.executable, "-c", ROTATES_UNTIL_IT_IS_KILLED, str(path)], stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert child.stdout is not None
    turns = [int(child.stdout.readline()) for _ in range(200)]
    os.kill(child.pid, signal.SIGKILL)
    turns += [int(line) for line in child.stdout.readlines() if line.endswith(b"\n")]
    child.wait()
    child.stdout.close()

    with sqlite3.connect(path) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM api_keys ORDER BY id")]
    connection.close()
    assert len(names) > turns[-1]
    assert names == [*(f"shop {turn}" for turn in range(1, len(names))), "shop"]


class TestLocked:
    async def test_lock_of_another_process_is_told_after_the_wait_and_reads_go_on(
        self, storage: SqlStorage, tmp_path: Path
    ) -> None:
        await storage.generations.add([generation_of("gen_before")])
        other = sqlite3.connect(tmp_path / "flow2api.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        results = await asyncio.gather(
            *(storage.generations.add([generation_of(f"gen_{number}")]) for number in range(50)), return_exceptions=True
        )
        assert [type(result) for result in results] == [StorageBusyError] * 50
        with pytest.raises(StorageBusyError):
            await storage.ping()
        assert await storage.generations.get("gen_before") is not None

        other.execute("ROLLBACK")
        other.close()
        await storage.ping()
        await storage.generations.add([generation_of("gen_1")])

    async def test_lock_that_ends_in_time_is_only_waited_for(
        self, two: tuple[SqlStorage, SqlStorage], tmp_path: Path
    ) -> None:
        storage, _ = two  # these are patient: the lock ends when this test has its turn again, however late that is
        other = sqlite3.connect(tmp_path / "shared.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writes = [
            asyncio.create_task(storage.generations.add([generation_of(f"gen_{number}")])) for number in range(50)
        ]
        await asyncio.sleep(0.05)
        other.execute("ROLLBACK")
        other.close()

        await asyncio.gather(*writes)

        assert len(await storage._database.read(_states)) == 50


class TestFull:
    async def test_full_disk_is_told_and_left_by_itself(self, storage: SqlStorage) -> None:
        await storage.generations.add([generation_of("gen_before")])
        large = replace(generation_of("gen_large"), prompt="x" * 4_000_000)
        await storage._database.write(
            lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=200").scalar()
        )

        with pytest.raises(StorageFullError, match="no room"):
            await storage.generations.add([large])
        assert await storage.generations.get("gen_before") is not None
        assert await storage.generations.get("gen_large") is None

        await storage._database.write(
            lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=100000").scalar()
        )
        await storage.generations.add([large])
        await storage.ping()

    async def test_write_that_needs_too_much_takes_nobody_with_it(self, storage: SqlStorage) -> None:
        await storage._database.write(
            lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=200").scalar()
        )
        large = replace(generation_of("gen_large"), prompt="x" * 4_000_000)
        small = [generation_of(f"gen_{number}") for number in range(20)]

        results = await asyncio.gather(
            *(storage.generations.add([each]) for each in (*small[:10], large, *small[10:])), return_exceptions=True
        )

        assert [type(result).__name__ for result in results if result is not None] == ["StorageFullError"]
        assert len(await storage._database.read(_states)) == 20


class TestTogether:
    async def test_violation_of_one_caller_is_nobody_elses(self, storage: SqlStorage) -> None:
        await storage.generations.add([generation_of("gen_5")])

        results = await asyncio.gather(
            *(storage.generations.add([generation_of(f"gen_{number}")]) for number in range(40)), return_exceptions=True
        )

        assert [number for number, result in enumerate(results) if isinstance(result, ConflictError)] == [5]
        assert len(await storage._database.read(_states)) == 40

    async def test_concurrent_writes_share_commits(self, storage: SqlStorage) -> None:
        sizes: list[int] = []
        carry_out = storage._database._writer._run_batch

        async def counted(steps: list[object]) -> object:
            sizes.append(len(steps))
            return await carry_out(steps)  # type: ignore[arg-type]

        storage._database._writer._run_batch = counted  # type: ignore[assignment]
        await asyncio.gather(*(storage.generations.add([generation_of(f"gen_{number}")]) for number in range(200)))

        assert sum(sizes) == 200
        assert len(sizes) <= 3

    async def test_account_that_cannot_be_brought_back_undoes_nobody_elses_write(self, storage: SqlStorage) -> None:
        (first,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.trash.put(first.id, "ada", NOW)
        await storage.accounts.add([(account_of("b"), credentials_of("a"))])
        carried_out: list[int] = []

        await storage.ping()
        writes = (storage._database.write(lambda _, one=one: carried_out.append(one)) for one in range(20))  # type: ignore[misc]
        *_, refused = await asyncio.gather(*writes, storage.trash.restore(first.id), return_exceptions=True)

        assert isinstance(refused, ConflictError)
        assert carried_out == list(range(20))

    async def test_cancelled_callers_leave_everything_whole(self, storage: SqlStorage) -> None:
        async def churn(number: int) -> None:
            generation = generation_of(f"gen_{number}")
            await storage.generations.add([generation])
            await storage.generations.get(generation.id)
            await storage.generations.save(generation.completed((), NOW, None), [media_of(f"med_{number}")])

        tasks = [asyncio.create_task(churn(number)) for number in range(300)]
        for number, task in enumerate(tasks):
            if number % 3 == 0:
                await asyncio.sleep(0)
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
        await storage.ping()

        states = dict(await storage._database.read(_states))
        media = {row[0] for row in await storage._database.read(_media)}
        assert all(f"gen_{number}" in states for number, result in enumerate(results) if result is None)
        assert media == {
            generation_id.replace("gen", "med") for generation_id, state in states.items() if state == "completed"
        }

    async def test_two_storages_over_one_file_lose_nothing(self, two: tuple[SqlStorage, SqlStorage]) -> None:
        storage, other = two

        async def fill(each: SqlStorage, name: str) -> None:
            for number in range(100):
                await each.generations.add([generation_of(f"gen_{name}_{number}")])

        await asyncio.gather(fill(storage, "a"), fill(other, "b"), fill(storage, "c"), fill(other, "d"))

        assert len(await other._database.read(_states)) == 400

    async def test_feed_tells_own_changes_from_those_of_others(self, two: tuple[SqlStorage, SqlStorage]) -> None:
        storage, other = two
        await other.options.write({"policy": "random"}, "operator")
        await storage.options.write({"policy": "weighted"}, "operator")

        assert [change.is_own for change in await storage.changes.since(0)] == [False, True]
        assert [change.is_own for change in await other.changes.since(0)] == [True, False]

    async def test_claim_is_decided_between_processes_too(self, two: tuple[SqlStorage, SqlStorage]) -> None:
        results = await asyncio.gather(
            *(each.api_keys.add(key_of("a", str(number).encode())) for number in range(25) for each in two),
            return_exceptions=True,
        )

        assert [type(result) for result in results].count(ConflictError) == 49


PAGE = (
    "SELECT * FROM generations WHERE key_id = 1 AND kind = 'image' AND deleted_at IS NULL"
    " AND (created_at, number) < (SELECT created_at, number FROM generations WHERE id = 'x')"
    " ORDER BY created_at DESC, number DESC LIMIT 20"
)
LEFT = (
    "SELECT number FROM generations WHERE state IN ('queued', 'running')"
    " AND (lease_until IS NULL OR lease_until < 1) ORDER BY created_at, number LIMIT 10"
)


class TestPlans:
    """The queries of every few seconds use an index, and not only as long as the tables are small."""

    @pytest.mark.parametrize(
        ("sql", "index"),
        [
            ("SELECT * FROM generations WHERE id = 'x'", "sqlite_autoindex_generations_1"),
            ("SELECT * FROM generations WHERE group_id = 'x' ORDER BY number", "ix_generations_group_id"),
            (PAGE, "ix_generations_page"),
            (
                "UPDATE generations SET lease_until = 1 WHERE owner = 'x' AND state IN ('queued', 'running')",
                "ix_generations_unfinished",
            ),
            (LEFT, "ix_generations_unfinished"),
            ("SELECT * FROM media WHERE expires_at <= 1 ORDER BY expires_at, id LIMIT 10", "ix_media_expires_at"),
            ("SELECT sha256 FROM media WHERE sha256 IN ('a', 'b')", "ix_media_sha256"),
            ("SELECT account_id FROM credentials WHERE token_digest IN (x'00', x'01')", "ix_credentials_token_digest"),
        ],
    )
    async def test_query_uses_its_index(self, storage: SqlStorage, sql: str, index: str) -> None:
        def plan(connection: Connection) -> list[str]:
            return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]

        steps = await storage._database.read(plan)

        assert index in steps[0]
        # Only the few unfinished ones may be sorted each time.
        assert sql == LEFT or not any("TEMP B-TREE" in step for step in steps)

    async def test_page_of_what_is_under_way_looks_at_nothing_else(self, storage: SqlStorage) -> None:
        steps = await plans_of(storage, storage.generation_directory.page(UNDER_WAY, after=None, limit=10))

        assert "ix_generations_unfinished" in steps[0]

    @pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
    async def test_page_of_what_came_to_nothing_looks_at_nothing_else(self, storage: SqlStorage, state: State) -> None:
        for wanted in (GenerationFilter(state=state), GenerationFilter(state=state, code="upstream_error")):
            steps = await plans_of(storage, storage.generation_directory.page(wanted, after=None, limit=10))

            assert len(steps) == 1
            assert "ix_generations_failures (state=?)" in steps[0]

    async def test_figures_of_an_account_are_looked_up_by_quarter_hours(self, storage: SqlStorage) -> None:
        steps = await plans_of(storage, storage.statistics.of_quarters(range(9, 99), None, Scope(account_id=7)))

        assert "(quarter=? AND account_id=?)" in steps[0]


UNDER_WAY = GenerationFilter(is_unfinished=True)


async def plans_of(storage: SqlStorage, asking: Awaitable[object]) -> list[str]:
    """How the database goes about what is asked."""
    steps: list[str] = []

    def explain(connection: Connection, cursor: object, sql: str, values: tuple[object, ...], *_: object) -> None:
        if not sql.startswith("EXPLAIN"):
            steps.extend(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values))

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        await asking
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    return steps
