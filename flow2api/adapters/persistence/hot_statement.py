"""Statements that every request carries out."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Insert, Update


class HotStatement:
    """A Core statement whose SQL text is made once: half of its cost would else be in finding that text again.

    Args:
        statement: An insert or update; every value in it is a named parameter.
        names: The names of its parameters, those of the columns that it sets included.
    """

    def __init__(self, statement: Insert | Update, names: Iterable[str]) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._made: tuple[str, tuple[str, ...]] | None = None

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Carry it out with these values, and tell how many rows it met."""
        text, places = self._made or self._make(connection)
        return connection.exec_driver_sql(text, tuple([values[name] for name in places])).rowcount

    def _make(self, connection: Connection) -> tuple[str, tuple[str, ...]]:
        compiled = self._statement.compile(connection, column_keys=self._names)
        self._made = str(compiled), tuple(getattr(compiled, "positiontup", None) or ())
        return self._made
