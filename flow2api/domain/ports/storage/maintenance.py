"""What a storage may offer beside its work: a close look, copies, and putting one back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a close look at a database found.

    Attributes:
        schema: Version of its schema; None when it has none.
        newest_schema: The version that this program writes.
        size_bytes: How large it is.
        faults: A sentence for each thing that is damaged; none when it is sound.
    """

    schema: str | None
    newest_schema: str
    size_bytes: int
    faults: tuple[str, ...]


@runtime_checkable
class Maintains(Protocol):
    """A storage that can be looked at closely, and copied as a whole. Neither needs it to be open.

    A storage may offer this; whoever wants it asks by ``isinstance``.
    """

    async def examine(self) -> Examination:
        """Look for damage, beside whoever uses the database; nothing is changed.

        Raises:
            StorageError: There is no database, or it cannot be read at all.
        """
        ...

    async def back_up(self, target: Path) -> int:
        """Write a copy as of one moment into a new file that only its owner may read, beside whoever uses the database.

        Returns:
            The size of the copy in bytes.

        Raises:
            ConflictError: There is such a file already.
            StorageError: There is no database, or no room for the copy.
        """
        ...

    async def restore(self, source: Path) -> Path | None:
        """Put a copy in the place of the database; what was there is kept beside it.

        Returns:
            Where the former database is now; None when there was none.

        Raises:
            StorageBusyError: Somebody has the database open.
            StorageError: The copy is damaged or no database of ours; nothing was changed.
            ConfigurationError: The copy was sealed with another key, or its schema is newer than this program.
        """
        ...
