"""The storage port over SQL: rows, repositories, one writer, migrations."""

from flow2api.adapters.persistence.sqlite import SqliteDatabase
from flow2api.adapters.persistence.storage import SqlStorage, open_url

__all__ = ["SqlStorage", "SqliteDatabase", "open_url"]
