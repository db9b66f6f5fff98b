"""Bars over time, one part upon the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from flow2api.adapters.console.charts.scale import (
    HEIGHT,
    Axis,
    Number,
    TimeLabel,
    axis_to,
    place,
    plain_number,
    time_labels,
)
from flow2api.adapters.console.charts.table import ChartTable, table_of

_FILLED = 0.76
"""How much of its step a bar takes."""


@dataclass(frozen=True, slots=True)
class Series:
    """What the parts of one colour count.

    Attributes:
        colour: ``1``, ``2``, ``e`` (failures), ``r`` (running) or ``o`` (other), as the style sheet names them.
    """

    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Column:
    """A step of time, and how many it has of each series; what is negative counts as none."""

    label: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the drawing."""

    colour: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class BarColumn:
    """The rectangles of a step, and what they stand for in words."""

    words: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """A chart of bars.

    Attributes:
        summary: What there is to be seen, in a sentence or two.
        is_empty: Whether there is nothing to be seen at all.
    """

    title: str
    summary: str
    series: tuple[Series, ...]
    axis: Axis
    columns: tuple[BarColumn, ...]
    times: tuple[TimeLabel, ...]
    table: ChartTable
    is_empty: bool


def stacked_bars(
    title: str,
    summary: str,
    series: Sequence[Series],
    columns: Sequence[Column],
    *,
    time_word: str,
    number: Number = plain_number,
) -> BarChart:
    """A bar for each step.

    Args:
        time_word: What stands above the steps in the table.
    """
    sums = [sum(max(value, 0.0) for value in column.values) for column in columns]
    axis = axis_to(max(sums, default=0.0), number)
    return BarChart(
        title=title,
        summary=summary,
        series=tuple(series),
        axis=axis,
        columns=tuple(
            BarColumn(_words(column, series, number), _bars(column, series, at, len(columns), axis))
            for at, column in enumerate(columns)
        ),
        times=time_labels([column.label for column in columns]),
        table=table_of(
            [time_word, *(one.name for one in series)],
            ((column.label, map(number, column.values)) for column in columns),
        ),
        is_empty=not any(sums),
    )


def histogram(
    title: str,
    summary: str,
    names: tuple[str, str],
    columns: Sequence[tuple[str, int, int]],
    *,
    time_word: str,
    number: Number = plain_number,
) -> BarChart:
    """How many there were in each step, those that went wrong in another colour.

    Args:
        names: What those are called that went well, and those that did not.
        columns: The label of each step, how many went well, and how many did not.
    """
    series = [Series(names[0], "1"), Series(names[1], "e")]
    steps = [Column(label, (well, wrong)) for label, well, wrong in columns]
    return stacked_bars(title, summary, series, steps, time_word=time_word, number=number)


def _bars(column: Column, series: Sequence[Series], at: int, count: int, axis: Axis) -> tuple[Bar, ...]:
    step = HEIGHT / count
    x, width = place((at + (1 - _FILLED) / 2) * step), place(step * _FILLED)
    bars, below = [], 0.0
    for one, value in zip(series, column.values, strict=True):
        if value > 0:
            top, bottom = axis.y(below + value), axis.y(below)
            bars.append(Bar(one.colour, x, place(top), width, place(bottom - top)))
            below += value
    return tuple(bars)


def _words(column: Column, series: Sequence[Series], number: Number) -> str:
    counted = ", ".join(f"{one.name} {number(value)}" for one, value in zip(series, column.values, strict=True))
    return f"{column.label}: {counted}"
