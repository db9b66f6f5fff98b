"""The file of an SQLite database, and a look into it with the driver alone: it costs a hundredth of what SQLAlchemy takes."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from flow2api.adapters.persistence.sqlite_errors import from_sqlite
from flow2api.domain.errors import ConfigurationError, StorageError

BUSY_TIMEOUT_S = 5.0

_PEEK_S = 0.5


def path_of(url: str) -> Path:
    """The file that a URL names: ``sqlite:///relative.db`` or ``sqlite:////absolute.db``.

    Raises:
        ConfigurationError: It names no file, or says more than a file.
    """
    scheme, separator, rest = url.partition(":///")
    if scheme != "sqlite" or not separator or not rest or rest.endswith("/"):
        raise ConfigurationError(
            f"The storage URL {url!r} names no database file; write sqlite:///relative.db or sqlite:////absolute/path.db."
        )
    if rest == ":memory:":
        raise ConfigurationError("A database in memory is not supported, for it would forget everything; name a file.")
    if "?" in rest or "#" in rest:
        raise ConfigurationError(f"The storage URL {url!r} has parameters; SQLite takes none.")
    return Path(rest)


def peek_options(path: Path) -> Mapping[str, object]:
    """The options in a database, beside whoever uses it; none when there is no database.

    Raises:
        StorageError: It cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        with reading(path, timeout_s=_PEEK_S) as connection:
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'options'").fetchone()
            read = "SELECT name, value FROM options WHERE value IS NOT NULL"
            rows = connection.execute(read).fetchall() if known else []
    except sqlite3.Error as error:
        raise from_sqlite(error) from error
    return {name: msgspec.json.decode(value) for name, value in rows}


@contextmanager
def reading(path: Path, *, timeout_s: float = BUSY_TIMEOUT_S) -> Iterator[sqlite3.Connection]:
    """A connection to a database that changes nothing.

    Raises:
        StorageError: There is no such file.
    """
    if not path.is_file():
        raise StorageError(f"There is no database {path}.")
    with contextlib.closing(sqlite3.connect(path, timeout=timeout_s, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only=ON")
        yield connection
