"""What the repositories need of a database. All that differs between databases is behind it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects.sqlite import Insert

T = TypeVar("T")

Step = Callable[[Connection], T]
"""Some statements that belong together. A step that writes may be carried out twice, when its first try is undone."""


class Database(Protocol):
    """A connected database.

    Attributes:
        now: The database's own clock, as an instant for queries.
        origin: What tells this storage's writes from those of others; it stands in the change feed.
    """

    @property
    def origin(self) -> str: ...

    @property
    def now(self) -> ColumnElement[int]: ...

    def insert(self, table: Table) -> Insert:
        """An insert that can say what to do on a conflict."""
        ...

    def tell_of_changes(self, listener: Callable[[], None]) -> None:
        """Call this in the event loop whenever a step has noted changes and was carried out."""
        ...

    async def read(self, step: Step[T]) -> T:
        """Carry out a step that only reads, on one of the few reading connections.

        Raises:
            StorageError: The database refused.
        """
        ...

    async def write(self, step: Step[T]) -> T:
        """Carry out a step as a whole or not at all, and return when it is durable.

        It shares its transaction with steps of other callers, but not their errors. A step that was handed over is
        carried out even when its caller is cancelled meanwhile: what it tells may have been paid for.

        Raises:
            ConflictError: The step violates a constraint.
            StorageError: The database refused.
        """
        ...
