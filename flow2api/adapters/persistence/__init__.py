"""The storage port over SQL: rows, repositories, one writer, migrations.

Each part is loaded when it is first asked for, for SQLAlchemy is a third of a command's start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flow2api.adapters.persistence.sqlite import SqliteDatabase
    from flow2api.adapters.persistence.storage import SqlStorage, open_url

__all__ = ["SqlStorage", "SqliteDatabase", "open_url"]

_PLACES = {"SqlStorage": "storage", "SqliteDatabase": "sqlite", "open_url": "storage"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
