"""Columns for which no index is looked for."""

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Unindexed(ColumnElement[Any]):
    """The same value as a column's, as an expression that no index serves."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


@compiles(Unindexed)
def _plainly(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    neutral = " || ''" if isinstance(element.type, String) else " + 0"
    return f"({compiler.process(element.column, **options)}{neutral})"


@compiles(Unindexed, "sqlite")
def _in_sqlite(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    # This costs nothing, where to join texts costs as much for each line as all else that is done to it.
    return f"+{compiler.process(element.column, **options)}"
