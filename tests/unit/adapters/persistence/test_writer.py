import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from flow2api.adapters.persistence.database import Step
from flow2api.adapters.persistence.writer import Outcome, Writer, carry_out
from flow2api.domain.errors import ConflictError, StorageBusyError, StorageError


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        with connection.begin():
            connection.execute(text("CREATE TABLE t (a INTEGER PRIMARY KEY)"))
        yield connection
    engine.dispose()


def inserting(number: int) -> Step[int]:
    def step(connection: Connection) -> int:
        connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": number})
        return number

    return step


def rows(connection: Connection) -> list[int]:
    with connection.begin():
        return list(connection.execute(text("SELECT a FROM t ORDER BY a")).scalars())


class TestCarryOut:
    def test_returns_the_value_of_each_step(self, connection: Connection) -> None:
        assert carry_out(connection, [inserting(1), inserting(2)]) == [Outcome(1), Outcome(2)]
        assert rows(connection) == [1, 2]

    def test_violation_undoes_its_own_step_only(self, connection: Connection) -> None:
        def half_done(connection: Connection) -> None:
            connection.execute(text("INSERT INTO t VALUES (5)"))
            connection.execute(text("INSERT INTO t VALUES (1)"))

        outcomes = carry_out(connection, [inserting(1), half_done, inserting(2), inserting(2)])

        assert [outcome.value for outcome in outcomes] == [1, None, 2, None]
        assert [type(outcome.error) for outcome in outcomes] == [type(None), ConflictError, type(None), ConflictError]
        assert rows(connection) == [1, 2]

    def test_bug_in_a_step_is_told_as_it_is(self, connection: Connection) -> None:
        def broken(connection: Connection) -> None:
            raise KeyError("bug")

        outcomes = carry_out(connection, [inserting(1), broken])

        assert isinstance(outcomes[1].error, KeyError)
        assert rows(connection) == [1]

    def test_held_lock_is_waited_for_once(self, connection: Connection) -> None:
        tried = []

        def locked(connection: Connection) -> None:
            tried.append(True)
            locked_error = sqlite_error("SQLITE_BUSY")
            raise OperationalError("BEGIN IMMEDIATE", None, locked_error)

        outcomes = carry_out(connection, [locked, locked, locked])

        assert [type(outcome.error) for outcome in outcomes] == [StorageBusyError] * 3
        assert len(tried) == 1
        assert len({id(outcome.error) for outcome in outcomes}) == 3


def sqlite_error(name: str) -> Exception:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorcode = getattr(sqlite3, name)
    return error


class Batches:
    """Stands for the database: keeps what each batch held, and lets the test say when a commit ends."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.fault: Exception | None = None
        self.faults: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def run(self, steps: Sequence[Step[Any]]) -> Sequence[Outcome]:
        self.sizes.append(len(steps))
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop()
        if self.fault is not None:
            raise self.fault
        return [Outcome(step(None)) for step in steps]  # type: ignore[arg-type]


@pytest.fixture
def batches() -> Batches:
    return Batches()


@pytest.fixture
async def writer(batches: Batches) -> AsyncIterator[Writer]:
    writer = Writer(batches.run)
    writer.start()
    yield writer
    batches.gate.set()
    await writer.aclose()


def returning(value: int) -> Callable[[Connection], int]:
    return lambda connection: value


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class TestWriter:
    async def test_lone_step_is_begun_at_once(self, writer: Writer, batches: Batches) -> None:
        assert await writer.write(returning(7)) == 7
        assert batches.sizes == [1]

    async def test_what_arrives_while_a_commit_runs_is_the_next_batch(self, writer: Writer, batches: Batches) -> None:
        batches.gate.clear()
        first = asyncio.create_task(writer.write(returning(0)))
        await settle()
        others = [asyncio.create_task(writer.write(returning(number))) for number in range(1, 31)]
        await settle()
        batches.gate.set()

        assert await asyncio.gather(first, *others) == list(range(31))
        assert batches.sizes == [1, 30]

    async def test_who_comes_one_by_one_after_a_shared_commit_shares_the_next_one(self, batches: Batches) -> None:
        writer = Writer(batches.run, pace_s=0.2)
        writer.start()
        await asyncio.gather(writer.write(returning(0)), writer.write(returning(1)))
        later = []
        for number in (2, 3, 4):
            later.append(asyncio.create_task(writer.write(returning(number))))
            await asyncio.sleep(0.01)
        await asyncio.gather(*later)
        await writer.aclose()
        assert batches.sizes == [2, 3]

    async def test_cancelled_caller_breaks_neither_its_step_nor_the_batch(
        self, writer: Writer, batches: Batches
    ) -> None:
        done: list[int] = []

        def noting(number: int, _: Connection) -> None:
            done.append(number)

        batches.gate.clear()
        tasks = [asyncio.create_task(writer.write(partial(noting, number))) for number in range(5)]
        await settle()
        late = [asyncio.create_task(writer.write(partial(noting, number))) for number in (5, 6)]
        await settle()
        tasks[2].cancel()
        late[0].cancel()
        batches.gate.set()

        await asyncio.gather(*tasks, *late, return_exceptions=True)
        await writer.aclose()

        assert [task.cancelled() for task in (*tasks, *late)] == [False, False, True, False, False, True, False]
        assert sorted(done) == list(range(7))

    async def test_who_came_early_while_a_lock_was_waited_for_does_not_wait_for_it_again(
        self, writer: Writer, batches: Batches, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batches.gate.clear()
        batches.faults = [StorageBusyError("locked")]
        first = asyncio.create_task(writer.write(returning(0)))
        await settle()
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        early = asyncio.create_task(writer.write(returning(1)))
        await settle()
        monkeypatch.setattr(loop, "time", lambda: began + 4.0)
        late = asyncio.create_task(writer.write(returning(2)))
        await settle()
        monkeypatch.setattr(loop, "time", lambda: began + 5.0)
        batches.gate.set()
        for task in (first, early):
            with pytest.raises(StorageBusyError):
                await task
        assert await late == 2
        assert batches.sizes == [1, 1]

    async def test_outlives_a_batch_that_could_not_be_tried(self, writer: Writer, batches: Batches) -> None:
        batches.fault = RuntimeError("no thread")
        with pytest.raises(RuntimeError):
            await writer.write(returning(1))
        batches.fault = None

        assert await writer.write(returning(2)) == 2

    async def test_writes_what_waits_before_it_ends(self, writer: Writer, batches: Batches) -> None:
        batches.gate.clear()
        waiting = [asyncio.create_task(writer.write(returning(number))) for number in range(3)]
        await settle()
        closing = asyncio.create_task(writer.aclose())
        await settle()
        batches.gate.set()
        await closing

        assert await asyncio.gather(*waiting) == [0, 1, 2]
        with pytest.raises(StorageError, match="not open"):
            await writer.write(returning(3))

    async def test_refuses_before_it_is_started(self, batches: Batches) -> None:
        with pytest.raises(StorageError, match="not open"):
            await Writer(batches.run).write(returning(1))

    async def test_never_puts_more_than_a_thousand_into_one_transaction(self, writer: Writer, batches: Batches) -> None:
        before = threading.active_count()
        await asyncio.gather(*(writer.write(returning(number)) for number in range(2500)))

        assert sum(batches.sizes) == 2500
        assert max(batches.sizes) == 1000
        assert threading.active_count() - before < 20
