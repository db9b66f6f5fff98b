"""A connection to a file that is not ours, may be in use, and may be hostile. It reads in short steps."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from flow2api.domain.errors import UnsupportedInputError

BUSY_TIMEOUT_S = 10.0
STATEMENT_S = 60.0

_HEADER = b"SQLite format 3\x00"
_WAL = b"\x02\x02"
_STEPS_BETWEEN_LOOKS = 1_000_000
_LONGEST_CELL = 64 * 1024 * 1024


def unreadable(path: Path, why: str) -> UnsupportedInputError:
    """The error for a file that cannot be used."""
    return UnsupportedInputError(f"The file {path} {why}", param="path", code="legacy_file_unreadable")


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for reading only, beside whoever has it open.

    Raises:
        UnsupportedInputError: It is no SQLite file, or cannot be read.
    """
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    if _is_idle_wal(path):
        address += "&immutable=1"  # else files would be made beside it
    try:
        connection = sqlite3.connect(
            address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise unreadable(path, f"cannot be opened: {error}.") from error
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_CELL)
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def rows_of(
    connection: sqlite3.Connection, path: Path, query: str, values: Sequence[object] = ()
) -> list[tuple[object, ...]]:
    """Everything that a query gives. No lock is held afterwards.

    Raises:
        UnsupportedInputError: The file is damaged, locked for too long, or makes the query last for ever.
    """
    deadline = time.monotonic() + STATEMENT_S
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
    try:
        return connection.execute(query, values).fetchall()
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise unreadable(
                path, "stays locked by the server that uses it; try again, or stop that server."
            ) from error
        if "interrupted" in str(error):
            raise unreadable(path, "takes too long to read; it is damaged, or not what it seems.") from error
        raise unreadable(path, f"cannot be read any further: {error}.") from error
    except (sqlite3.Error, MemoryError, OverflowError) as error:
        raise unreadable(path, f"is damaged: {error}. What came before the damage was brought over.") from error


def _is_idle_wal(path: Path) -> bool:
    """Whether the file is in the mode that keeps a second file beside it, and nobody has it open.

    Raises:
        UnsupportedInputError: It is no SQLite file, or cannot be read.
    """
    if not path.is_file():
        raise unreadable(path, "is not there, or is no file.")
    try:
        with path.open("rb") as opened:
            head = opened.read(20)
    except OSError as error:
        raise unreadable(path, f"cannot be read: {error.strerror}.") from error
    if head[:16] != _HEADER:
        raise unreadable(path, "is no SQLite database; the old server keeps its own at data/flow.db.")
    log = path.with_name(f"{path.name}-wal")
    return head[18:20] == _WAL and not (log.exists() and log.stat().st_size)
