"""The table behind a chart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: what it is of, and its cells."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChartTable:
    """The figures of a chart in words.

    Attributes:
        head: The names of the columns, that of the labels first.
    """

    head: tuple[str, ...]
    rows: tuple[TableRow, ...]


def table_of(head: Sequence[str], rows: Iterable[tuple[str, Iterable[str]]]) -> ChartTable:
    """The table of these rows."""
    return ChartTable(tuple(head), tuple(TableRow(label, tuple(cells)) for label, cells in rows))
