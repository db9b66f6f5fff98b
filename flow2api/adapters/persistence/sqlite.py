"""SQLite: its file, its connections, and everything in which it differs from other databases.

WAL with ``synchronous=FULL``: what was acknowledged survives a power cut, and readers never wait for the writer.
"""

import asyncio
import contextlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    Table,
    create_engine,
    event,
    literal_column,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import DBAPIError

from flow2api.adapters.persistence import schema
from flow2api.adapters.persistence.changes import NOTED
from flow2api.adapters.persistence.checkpoints import Checkpoints
from flow2api.adapters.persistence.database import Step
from flow2api.adapters.persistence.errors import is_busy, translate
from flow2api.adapters.persistence.readers import Readers
from flow2api.adapters.persistence.sqlite_file import BUSY_TIMEOUT_S
from flow2api.adapters.persistence.writer import Outcome, Writer, carry_out
from flow2api.domain.errors import ConfigurationError, StorageError

T = TypeVar("T")

READERS = 4
"""Connections for reading at most; each is a thread."""

READ_WAIT_S = 5.0
"""How long a read waits until one of them is free."""

_WAL_PRAGMAS = ("wal_autocheckpoint=16000", "journal_size_limit=67108864")
"""The log may grow to 64 MB before the writer works it into the file itself: others wait for that, so that it is done beside
it long before."""

MIGRATION_TIMEOUT_S = 60.0
"""How long one process waits at its start for another one that migrates."""

# `unixepoch('subsec')` would be the plain way, but only SQLite 3.42 and newer know it.
NOW: Final[ColumnElement[int]] = literal_column(
    "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000", BigInteger
)


class SqliteDatabase:
    """One database file: a thread that writes, and up to four connections that read.

    Args:
        path: The file; it and its folder are made when missing, readable by their owner only.
        busy_timeout_s: How long a lock of another process is waited for.
    """

    now: ColumnElement[int] = NOW

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.origin = secrets.token_hex(8)
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._writer = Writer(self._carry_out)
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._readers: Readers | None = None
        self._checkpoints = Checkpoints(path)
        self._told_of_changes: list[Callable[[], None]] = []
        self._closed = False

    def insert(self, table: Table) -> Insert:
        return insert(table)

    def tell_of_changes(self, listener: Callable[[], None]) -> None:
        self._told_of_changes.append(listener)

    async def open(self) -> None:
        """Make the file if there is none, connect, and bring the schema up to date.

        Raises:
            ConfigurationError: The file cannot be opened, or its schema is newer than this program.
            StorageBusyError: Another process holds the lock for too long.
        """
        try:
            await self._in_thread(self._connect)
        except BaseException:
            await self.aclose()
            raise
        self._readers = Readers(_reading_engine(self._path, self._busy_timeout_s), READERS, READ_WAIT_S)
        self._writer.start()

    async def aclose(self) -> None:
        """Write what is waiting and disconnect; doing so twice does no harm."""
        if self._closed:
            return
        self._closed = True
        await self._writer.aclose()
        if self._readers is not None:
            readers, self._readers = self._readers, None
            await readers.aclose()
        await self._checkpoints.aclose()
        await self._in_thread(self._disconnect)
        self._thread.shutdown()

    async def read(self, step: Step[T]) -> T:
        if self._readers is None:
            raise StorageError("The database is not open; nothing can be read.")
        return await self._readers.read(step)

    async def write(self, step: Step[T]) -> T:
        return await self._writer.write(step)

    async def _carry_out(self, steps: Sequence[Step[Any]]) -> Sequence[Outcome]:
        assert self._connection is not None  # noqa: S101 - the writer starts after the connection
        outcomes, changes, are_noted = await self._in_thread(_carry_out, self._connection, steps)
        self._checkpoints.note(changes)
        if are_noted:
            for listener in self._told_of_changes:
                listener()
        return outcomes

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    def _connect(self) -> None:
        _make_file(self._path)
        self._engine = _writing_engine(self._path, self._busy_timeout_s, self.origin)
        try:
            self._connection = self._engine.connect()
            _use_wal(self._connection)
            self._migrate(self._connection)
        except DBAPIError as error:
            if is_busy(error):
                raise translate(error) from error
            raise ConfigurationError(f"The database {self._path} cannot be opened: {error.orig}.") from error

    def _migrate(self, connection: Connection) -> None:
        if _schema_version(connection) == schema.HEAD:
            return
        # The lock is the transaction itself, so that a process that dies in the middle leaves nothing half done.
        # Rebuilding a table would otherwise delete what refers to it; the schema checks the references at its end.
        _pragma(connection, "foreign_keys", "OFF")
        _pragma(connection, "busy_timeout", int(MIGRATION_TIMEOUT_S * 1000))
        with connection.begin():
            schema.upgrade(connection)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise ConfigurationError(
                    f"The migration of {self._path} left rows that refer to nothing; it was undone."
                )
        _pragma(connection, "busy_timeout", int(self._busy_timeout_s * 1000))
        _pragma(connection, "foreign_keys", "ON")

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._engine is not None:
            self._engine.dispose()
        self._connection = self._engine = None


def _carry_out(connection: Connection, steps: Sequence[Step[Any]]) -> tuple[Sequence[Outcome], int, bool]:
    """What :func:`carry_out` tells, how many rows this connection has changed so far, and whether changes were noted."""
    outcomes = carry_out(connection, steps)
    pooled = connection.connection
    driver: Any = pooled.driver_connection
    return outcomes, int(driver.total_changes), bool(pooled.info.pop(NOTED, False))


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the mode of this file to those that it makes beside it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as cause:
        raise ConfigurationError(f"The database {path} cannot be opened: {cause.strerror}.") from cause


def _writing_engine(path: Path, busy_timeout_s: float, origin: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=NullPool, execution_options={"origin": origin}
    )
    event.listen(engine, "connect", _pragmas(busy_timeout_s, "synchronous=FULL", *_WAL_PRAGMAS))
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _reading_engine(path: Path, busy_timeout_s: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        isolation_level="AUTOCOMMIT",
        pool_size=READERS,
        max_overflow=0,
        pool_reset_on_return=None,
    )
    event.listen(engine, "connect", _pragmas(busy_timeout_s, "query_only=ON"))
    return engine


def _pragmas(busy_timeout_s: float, *others: str) -> Callable[[DBAPIConnection, object], None]:
    pragmas = (f"busy_timeout={int(busy_timeout_s * 1000)}", "foreign_keys=ON", *others)

    def set_up(connection: DBAPIConnection, _: object) -> None:
        connection.isolation_level = None  # transactions are begun by us, not by the driver's guess
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return set_up


def _begin_immediate(connection: Connection) -> None:
    # A transaction that reads first and asks for the lock later would fail instead of waiting for it. The driver is
    # asked directly: SQLAlchemy's way costs as much as the statements of a picture.
    try:
        with contextlib.closing(connection.connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise DBAPIError("BEGIN IMMEDIATE", None, error) from error


def _use_wal(connection: Connection) -> None:
    # Of two processes that start together, one meets the other's lock here, and SQLite does not wait for this one.
    deadline = time.monotonic() + MIGRATION_TIMEOUT_S
    while True:
        try:
            return _pragma(connection, "journal_mode", "WAL")
        except DBAPIError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _schema_version(connection: Connection) -> str | None:
    """The version, read without the lock that every transaction of this connection takes."""
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
        if cursor.fetchone() is None:
            return None
        cursor.execute("SELECT version_num FROM alembic_version")
        row = cursor.fetchone()
    return None if row is None else str(row[0])


def _pragma(connection: Connection, name: str, value: str | int) -> None:
    """Set a pragma outside of any transaction, where some of them have no effect."""
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.execute(f"PRAGMA {name}={value}")


if TYPE_CHECKING:
    from flow2api.adapters.persistence.database import Database

    def _is_a_database(database: SqliteDatabase) -> Database:
        return database
