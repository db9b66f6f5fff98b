"""Copies of the database, made while the server runs."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import ConflictError, StorageError
from flow2api.domain.ports.backups import Backup
from flow2api.domain.ports.storage import Examination
from flow2api.domain.usecases.back_up_database import BackUpDatabase
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage

ADA = Actor(name="ada", door="console", operator_id=1)
FILE = Path("backups/one.db")


class Shelf:
    """A shelf in memory."""

    def __init__(self) -> None:
        self.copies: list[Backup] = []

    async def place(self, at: datetime) -> Path:
        return FILE

    async def all(self) -> Sequence[Backup]:
        return self.copies


class CopiedStorage(FakeStorage):
    """A storage that can be copied, when it is let."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.gate = asyncio.Event()
        self.gate.set()
        self.copied: list[Path] = []

    async def back_up(self, target: Path) -> int:
        await self.gate.wait()
        self.copied.append(target)
        return 4096

    async def examine(self) -> Examination:
        return Examination(schema="1", newest_schema="1", size_bytes=1, faults=())

    async def restore(self, source: Path) -> Path | None:
        return None


def desk(storage: FakeStorage) -> BackUpDatabase:
    return BackUpDatabase(storage, Shelf(), FakeClock())


async def test_a_copy_is_made_once_it_is_put_down_who_wants_it() -> None:
    storage = CopiedStorage()
    backups = desk(storage)
    assert backups.is_possible
    assert await backups(ADA) == Backup(FILE, START, 4096)
    (noted,) = storage.tables.audit
    assert (noted.action, noted.actor, noted.subject) == (AuditAction.DATABASE_BACKED_UP, ADA, "one.db")
    assert await backups.all() == []


async def test_nothing_is_copied_that_nobody_answers_for() -> None:
    storage = CopiedStorage()
    storage.tables.audit_fault = StorageError("The disk is full.")
    backups = desk(storage)
    with pytest.raises(StorageError):
        await backups(ADA)
    assert storage.copied == []
    storage.tables.audit_fault = None
    await backups(ADA)


async def test_one_copy_is_made_at_a_time() -> None:
    storage = CopiedStorage()
    storage.gate.clear()
    backups = desk(storage)
    first = asyncio.create_task(backups(ADA))
    await asyncio.sleep(0)
    with pytest.raises(ConflictError, match="being made"):
        await backups(ADA)
    storage.gate.set()
    assert (await first).size_bytes == 4096


async def test_a_storage_that_looks_after_itself_is_not_copied() -> None:
    backups = desk(FakeStorage(FakeClock()))
    assert not backups.is_possible
    with pytest.raises(ConflictError, match="looks after itself"):
        await backups(ADA)
