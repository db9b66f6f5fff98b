"""Copies of the database in a folder beside it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flow2api.domain.errors import StorageError
from flow2api.domain.ports.backups import Backup, BackupShelf

_NAME = "flow2api-%Y%m%d-%H%M%S"
_SUFFIX = ".db"


class BackupFolder:
    """Each copy is a file that is named by its moment in UTC; only its owner may read the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def place(self, at: datetime) -> Path:
        return await asyncio.to_thread(self._place, at)

    async def all(self) -> Sequence[Backup]:
        return await asyncio.to_thread(self._all)

    def _place(self, at: datetime) -> Path:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The folder {self._folder} cannot be made ({error.strerror}); let the server write there."
            ) from error
        name = at.astimezone(UTC).strftime(_NAME)
        place, number = self._folder / f"{name}{_SUFFIX}", 1
        while place.exists():
            number += 1
            place = self._folder / f"{name}-{number}{_SUFFIX}"
        return place

    def _all(self) -> Sequence[Backup]:
        try:
            found = [_backup(file) for file in self._folder.glob(f"flow2api-*{_SUFFIX}")]
        except OSError as error:
            raise StorageError(f"The folder {self._folder} cannot be read ({error.strerror}).") from error
        return sorted(found, key=lambda one: (one.made_at, one.file.name), reverse=True)


def _backup(file: Path) -> Backup:
    about = file.stat()
    return Backup(file, datetime.fromtimestamp(about.st_mtime, UTC), about.st_size)


if TYPE_CHECKING:

    def _is_a_shelf(folder: BackupFolder) -> BackupShelf:
        return folder
