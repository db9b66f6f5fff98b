"""Result codes of SQLite in words of ours."""

import sqlite3

from flow2api.domain.errors import StorageBusyError, StorageError, StorageFullError

_BUSY = StorageBusyError, "The database is locked by another process; try again shortly."
_FULL = StorageFullError, "There is no room left for the database; free some space on its disk."
_READ_ONLY = (
    StorageError,
    "The database is read-only; check the mode of its file and folder, and how the disk is mounted.",
)
_DAMAGED = StorageError, "The database file is damaged or no database of ours; restore it from a backup."

BY_SQLITE_CODE: dict[int, tuple[type[StorageError], str]] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: (
        StorageError,
        "The disk of the database fails to read or write; look into the system's log.",
    ),
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: (
        StorageError,
        "The database file cannot be opened; check that its folder exists and is ours.",
    ),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
"""Primary result code of SQLite: our class and sentence. Any other code is a plain `StorageError`."""


def from_sqlite(error: BaseException | None) -> StorageError:
    """The error of ours for what SQLite says."""
    # The low byte is the primary code, the rest of it says more exactly what happened.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    ours, sentence = BY_SQLITE_CODE.get(code, (StorageError, f"The database refused: {error}."))
    return ours(sentence)
