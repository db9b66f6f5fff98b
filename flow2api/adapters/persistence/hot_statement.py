"""Statements that every request carries out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Update
from sqlalchemy.exc import DBAPIError, IntegrityError


class HotStatement:
    """A Core statement whose SQL text is made once and handed to the driver directly.

    Finding the text again would be half of its cost, and the object that SQLAlchemy makes for each execution most of
    the rest.

    Args:
        statement: An insert or update; every value in it is a named parameter.
        names: The names of its parameters, those of the columns that it sets included.
    """

    def __init__(self, statement: Insert | Update, names: Iterable[str]) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._made: tuple[str, tuple[str, ...]] | None = None

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Carry it out with these values, and tell how many rows it met.

        Raises:
            DBAPIError: The database refused, as SQLAlchemy says it.
        """
        text, places = self._made or self._make(connection)
        return self._run(connection, "execute", text, tuple([values[name] for name in places]))

    def execute_many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Carry it out once for each of these rows.

        Raises:
            DBAPIError: The database refused, as SQLAlchemy says it.
        """
        text, places = self._made or self._make(connection)
        self._run(connection, "executemany", text, [tuple([values[name] for name in places]) for values in rows])

    def _run(self, connection: Connection, how: str, text: str, parameters: Sequence[Any]) -> int:
        driver = connection.dialect.loaded_dbapi
        cursor = connection.connection.cursor()
        try:
            getattr(cursor, how)(text, parameters)
            return int(cursor.rowcount)
        except driver.IntegrityError as error:
            raise IntegrityError(text, None, error) from error
        except driver.Error as error:
            raise DBAPIError(text, None, error) from error
        finally:
            cursor.close()

    def _make(self, connection: Connection) -> tuple[str, tuple[str, ...]]:
        compiled = self._statement.compile(connection, column_keys=self._names)
        self._made = str(compiled), tuple(getattr(compiled, "positiontup", None) or ())
        return self._made
