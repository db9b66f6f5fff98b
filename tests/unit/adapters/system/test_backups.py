"""Copies of the database in a folder."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flow2api.adapters.system.backups import BackupFolder
from flow2api.domain.errors import StorageError

AT = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


async def test_each_copy_has_a_place_of_its_own_that_tells_its_moment(tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path / "made" / "backups")
    first = await folder.place(AT)
    assert first.name == "flow2api-20261123-123000.db"
    assert first.parent.stat().st_mode & 0o077 == 0
    first.write_bytes(b"x")
    assert (await folder.place(AT)).name == "flow2api-20261123-123000-2.db"


async def test_the_newest_copy_is_told_first_and_other_files_not_at_all(tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path)
    for days in (2, 0, 1):
        file = await folder.place(AT - timedelta(days=days))
        file.write_bytes(b"x" * (days + 1))
        moment = (AT - timedelta(days=days)).timestamp()
        os.utime(file, (moment, moment))
    (tmp_path / "notes.txt").write_text("mine")
    found = await folder.all()
    assert [(one.made_at, one.size_bytes) for one in found] == [
        (AT - timedelta(days=days), days + 1) for days in range(3)
    ]


async def test_without_a_folder_there_are_no_copies(tmp_path: Path) -> None:
    assert await BackupFolder(tmp_path / "none").all() == []


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be made"):
        await BackupFolder(tmp_path / "file").place(AT)
