"""Copies of an SQLite database as a whole, and a close look at one; beside whoever uses it.

Everything here works on the file by connections of its own, in a thread, with the driver of the standard library:
SQLite's online backup needs it.
"""

import asyncio
import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flow2api.adapters.persistence import schema
from flow2api.adapters.persistence.errors import translate
from flow2api.adapters.persistence.key_check import check_key
from flow2api.adapters.persistence.sqlite import SqliteDatabase
from flow2api.adapters.persistence.sqlite_file import reading
from flow2api.domain.errors import ConflictError, StorageBusyError, StorageError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Examination

T = TypeVar("T")

_FAULTS_TOLD = 5
_BESIDE = ("-wal", "-shm", "-journal")


class SqliteFile:
    """One database file, whether it is open elsewhere or not.

    Args:
        cipher: Tells at a restore whether the copy was sealed with our key.
    """

    def __init__(self, path: Path, cipher: Cipher) -> None:
        self._path = path
        self._cipher = cipher

    async def examine(self) -> Examination:
        """Look for damage; nothing is changed."""
        return await _in_thread(_examine, self._path)

    async def back_up(self, target: Path) -> int:
        """Write a copy as of one moment into a new file; it is whole or not there."""
        return await _in_thread(_back_up, self._path, target)

    async def restore(self, source: Path) -> Path | None:
        """Put a copy in the place of the database, migrated, once it has proved to be sound and ours."""
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            await _in_thread(_take_in, source, draft)
            database = SqliteDatabase(draft)
            await database.open()
            try:
                await check_key(database, self._cipher)
            finally:
                await database.aclose()
            return await _in_thread(_swap, draft, self._path)
        finally:
            for end in ("", *_BESIDE):
                _beside(draft, end).unlink(missing_ok=True)


async def _in_thread(call: Callable[..., T], *arguments: object) -> T:
    try:
        return await asyncio.to_thread(call, *arguments)
    except sqlite3.Error as error:
        raise translate(error) from error
    except FileExistsError as error:
        raise ConflictError(f"There is a file {error.filename} already; choose another name.") from error
    except OSError as error:
        raise StorageError(f"The file {error.filename or ''} cannot be used: {error.strerror}.") from error


def _examine(path: Path) -> Examination:
    with reading(path) as connection:
        faults: list[str] = []
        try:
            faults += _damages(connection)
            orphans = sum(1 for _ in connection.execute("PRAGMA foreign_key_check"))
            if orphans:
                faults.append(f"{orphans} rows refer to something that is not there.")
        except sqlite3.DatabaseError as error:
            if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_CORRUPT:
                raise
            faults.append("It is too damaged to be read to its end.")
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        return Examination(
            schema=_version(connection),
            newest_schema=schema.HEAD,
            size_bytes=pages * page_bytes,
            faults=tuple(faults),
        )


def _damages(connection: sqlite3.Connection) -> Iterator[str]:
    for (told,) in connection.execute(f"PRAGMA integrity_check({_FAULTS_TOLD})"):
        if told != "ok":
            yield f"Damage: {' '.join(str(told).split())}."


def _back_up(path: Path, target: Path) -> int:
    if target.exists():
        raise FileExistsError(0, "", str(target))
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with reading(path) as connection:
            _copy(connection, draft)
        size = draft.stat().st_size
        draft.rename(target)
        return size
    finally:
        draft.unlink(missing_ok=True)


def _take_in(source: Path, draft: Path) -> None:
    """Copy what is to be restored beside the database, and make sure that it is sound and a database of ours."""
    draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with reading(source) as connection:
            if _version(connection) is None:
                raise StorageError(f"{source} is no database of flow2api; nothing was changed.")
            _copy(connection, draft)
        faults = _examine(draft).faults
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
        faults = (str(error),)
    if faults:
        raise StorageError(f"{source} is damaged or no database; nothing was changed. Take another backup.")


def _swap(draft: Path, path: Path) -> Path | None:
    """Write the draft over the database under its own lock, so that nobody ever sees half of it."""
    if not path.exists():
        for end in _BESIDE:  # left by a database that somebody has deleted; they would be mixed into this one
            _beside(path, end).unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(draft)) as connection:
            _copy(connection, path)
        return None
    former = path.with_name(f"{path.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    try:
        with _locked(path) as connection:
            _copy(connection, former)
            with contextlib.closing(sqlite3.connect(draft)) as restored:
                restored.backup(connection)
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
        # So damaged that SQLite cannot even lock it; then no server can have it open either.
        former.unlink(missing_ok=True)
        for end in ("", *_BESIDE):
            with contextlib.suppress(FileNotFoundError):
                _beside(path, end).rename(_beside(former, end))
        with contextlib.closing(sqlite3.connect(draft)) as connection:
            _copy(connection, path)
    return former


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """A copy in one file that only its owner may read, on the disk when this returns."""
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(target)) as connection:
            source.backup(connection, pages=-1)
            # The copy takes over the mode of the original, whose files beside it would get lost on the way.
            connection.execute("PRAGMA journal_mode=DELETE")
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, locked against everybody else until the end.

    Raises:
        StorageBusyError: Somebody has it open.
    """
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            # A database leaves the WAL only when nobody else has it open, be it idle; and it takes its log in first.
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")  # the lock stays
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StorageBusyError(
                    f"The database {path} is in use; stop the server before you restore. Nothing was changed."
                ) from error
            raise
        yield connection


def _is_damage(error: sqlite3.Error) -> bool:
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _version(connection: sqlite3.Connection) -> str | None:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _beside(path: Path, end: str) -> Path:
    return path.with_name(f"{path.name}{end}")


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import Maintains

    def _is_maintained(file: SqliteFile) -> Maintains:
        return file
