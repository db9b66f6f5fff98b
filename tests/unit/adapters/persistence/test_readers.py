"""Reads beside each other: a few at a time, in turn, and none of them leaves anything behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine

from flow2api.adapters.persistence.readers import Readers
from flow2api.domain.errors import MediaNotFoundError, StorageBusyError, StorageError

Make = Callable[..., Readers]


@pytest.fixture
async def readers(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Readers] = []

    def make(count: int = 1, wait_s: float = 5.0) -> Readers:
        engine = create_engine(f"sqlite:///{tmp_path}/read.db", pool_size=count, max_overflow=0)
        made.append(Readers(engine, count, wait_s))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


def two(connection: Connection) -> object:
    return connection.exec_driver_sql("SELECT 2").scalar()


class Slow:
    """A step that reads when it is let."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()
        self.has_ended = False

    def __call__(self, connection: Connection) -> object:
        self.has_begun.set()
        assert self.may_end.wait(60)
        self.has_ended = True
        return two(connection)


async def test_steps_wait_for_their_turn(readers: Make) -> None:
    assert await asyncio.gather(*(readers(count=2).read(two) for _ in range(20))) == [2] * 20


async def test_a_step_whose_turn_does_not_come_is_told_that_the_database_is_busy(readers: Make) -> None:
    reading, slow = readers(wait_s=0.01), Slow()
    first = asyncio.create_task(reading.read(slow))
    try:
        await asyncio.to_thread(slow.has_begun.wait, 20)
        with pytest.raises(StorageBusyError):
            await reading.read(two)
    finally:
        slow.may_end.set()
    assert await first == 2
    assert await reading.read(two) == 2


async def test_who_goes_away_in_the_middle_keeps_no_turn_and_no_connection(readers: Make) -> None:
    reading, slow = readers(), Slow()
    gone = asyncio.create_task(reading.read(slow))
    await asyncio.to_thread(slow.has_begun.wait, 20)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    slow.may_end.set()
    assert await reading.read(two) == 2


async def test_closing_waits_for_what_is_being_read(readers: Make) -> None:
    reading, slow = readers(), Slow()
    last = asyncio.create_task(reading.read(slow))
    await asyncio.to_thread(slow.has_begun.wait, 20)
    closing = asyncio.create_task(reading.aclose())
    await asyncio.sleep(0)
    slow.may_end.set()
    await closing
    assert slow.has_ended
    assert await last == 2


async def test_errors_come_in_our_words(readers: Make) -> None:
    def refuse(_: Connection) -> None:
        raise MediaNotFoundError("There is no such media.")

    reading = readers()
    with pytest.raises(StorageError, match="no such table"):
        await reading.read(lambda connection: connection.exec_driver_sql("SELECT * FROM missing"))
    with pytest.raises(MediaNotFoundError):
        await reading.read(refuse)
    assert await reading.read(two) == 2
