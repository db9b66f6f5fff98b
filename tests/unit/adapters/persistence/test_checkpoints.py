"""What was written reaches the database file without the writer's doing."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flow2api.adapters.persistence.checkpoints import AFTER_CHANGES, Checkpoints

ROWS = 50


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A database whose rows stand in its log of writes only."""
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE facts (name TEXT)")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        writer.executemany("INSERT INTO facts VALUES (?)", [("x" * 1000,)] * ROWS)
        yield path


def in_file(path: Path) -> int:
    """How many rows the file has without its log."""
    alone = path.with_name("alone.db")
    shutil.copyfile(path, alone)
    with closing(sqlite3.connect(alone)) as reader:
        return int(reader.execute("SELECT count(*) FROM facts").fetchone()[0])


async def test_it_begins_after_enough_changes_and_not_before(path: Path) -> None:
    checkpoints = Checkpoints(path)
    checkpoints.note(AFTER_CHANGES - 1)
    await checkpoints.aclose()
    assert in_file(path) == 0

    checkpoints = Checkpoints(path)
    checkpoints.note(AFTER_CHANGES)
    checkpoints.note(2 * AFTER_CHANGES)  # one is under way
    await checkpoints.aclose()
    assert in_file(path) == ROWS


async def test_database_that_refuses_stops_nobody(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "missing" / "some.db")
    checkpoints.note(AFTER_CHANGES)
    await checkpoints.aclose()
