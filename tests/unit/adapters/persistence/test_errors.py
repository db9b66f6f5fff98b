import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from flow2api.adapters.persistence.errors import is_busy, translate
from flow2api.adapters.persistence.sqlite_errors import BY_SQLITE_CODE
from flow2api.domain.errors import ConfigurationError, ConflictError, StorageBusyError, StorageError, StorageFullError


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, StorageBusyError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StorageBusyError),
        (sqlite3.SQLITE_LOCKED, StorageBusyError),
        (sqlite3.SQLITE_FULL, StorageFullError),
        (sqlite3.SQLITE_IOERR_FSYNC, StorageError),
        (sqlite3.SQLITE_READONLY_DBMOVED, StorageError),
        (sqlite3.SQLITE_CANTOPEN, StorageError),
        (sqlite3.SQLITE_CORRUPT, StorageError),
        (sqlite3.SQLITE_NOTADB, StorageError),
        (sqlite3.SQLITE_TOOBIG, StorageError),
    ],
)
def test_result_code_decides_the_class(code: int, expected: type[StorageError]) -> None:
    cause = OperationalError("SELECT 1", None, sqlite_error(code))

    translated = translate(cause)

    assert type(translated) is expected
    assert translated.__cause__ is cause
    assert type(translate(sqlite_error(code))) is expected


def test_every_sentence_tells_what_happened_and_what_to_do() -> None:
    for _, sentence in BY_SQLITE_CODE.values():
        assert sentence.endswith(".")
        assert ";" in sentence


def test_no_statement_and_no_value_is_shown() -> None:
    cause = OperationalError("SELECT planted", {"token": "planted"}, sqlite_error(sqlite3.SQLITE_ERROR))

    assert "planted" not in str(translate(cause))


def test_violation_is_a_conflict() -> None:
    assert type(translate(IntegrityError("INSERT", None, sqlite3.IntegrityError("UNIQUE")))) is ConflictError


def test_driver_error_without_a_code_is_a_storage_error() -> None:
    assert type(translate(DBAPIError("SELECT", None, sqlite3.ProgrammingError("closed")))) is StorageError


@pytest.mark.parametrize("error", [ConfigurationError("ours"), KeyError("a bug")])
def test_ours_and_bugs_stay_what_they_are(error: Exception) -> None:
    assert translate(error) is error


def test_only_a_lock_is_busy() -> None:
    assert is_busy(sqlite_error(sqlite3.SQLITE_BUSY))
    assert not is_busy(sqlite_error(sqlite3.SQLITE_FULL))
    assert not is_busy(KeyError("a bug"))
