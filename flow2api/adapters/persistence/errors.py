"""Errors of SQLAlchemy and SQLite in words of ours."""

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError

from flow2api.adapters.persistence.sqlite_errors import from_sqlite
from flow2api.domain.errors import ConflictError, Flow2ApiError, StorageBusyError


def translate(error: Exception) -> Exception:
    """The error as callers of the port may expect it; one that is ours or a bug of ours stays what it is."""
    if isinstance(error, Flow2ApiError):
        return error
    if isinstance(error, IntegrityError):
        return _caused(ConflictError("This exists already, or was changed by somebody else meanwhile."), error)
    if isinstance(error, DBAPIError):
        return _caused(from_sqlite(error.orig), error)
    if isinstance(error, sqlite3.Error):
        return _caused(from_sqlite(error), error)
    return error


def is_busy(error: Exception) -> bool:
    """Whether the error says that somebody else holds the lock."""
    return isinstance(translate(error), StorageBusyError)


def _caused(error: Flow2ApiError, cause: Exception) -> Flow2ApiError:
    error.__cause__ = cause
    return error
