"""Where copies of the database are put."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the database."""

    file: Path
    made_at: datetime
    size_bytes: int


class BackupShelf(Protocol):
    """The copies that there are, and the place for the next one."""

    async def place(self, at: datetime) -> Path:
        """A file for a copy that is made at this moment; there is none of that name yet.

        Raises:
            StorageError: The folder cannot be used.
        """
        ...

    async def all(self) -> Sequence[Backup]:
        """Every copy, the newest first; none when there is no folder yet.

        Raises:
            StorageError: The folder cannot be read.
        """
        ...
