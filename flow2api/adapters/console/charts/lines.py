"""Lines over time with the band between them, such as how long things took for half of the calls and for most."""

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
from flow2api.adapters.console.charts.sparkline import points
from flow2api.adapters.console.charts.table import ChartTable, table_of


@dataclass(frozen=True, slots=True)
class LinePoint:
    """A step of time with the lower and the upper figure; None when nothing is known."""

    label: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Dot:
    """A point that stands alone, as a short dash of its line's colour."""

    x1: str
    x2: str
    y: str
    is_high: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """Two lines and the band between them, each in its unbroken pieces, as points of SVG.

    Attributes:
        names: What the lower and the upper line are of.
        is_empty: Whether there is nothing to be seen at all.
    """

    title: str
    summary: str
    names: tuple[str, str]
    axis: Axis
    low: tuple[str, ...]
    high: tuple[str, ...]
    bands: tuple[str, ...]
    dots: tuple[Dot, ...]
    times: tuple[TimeLabel, ...]
    table: ChartTable
    is_empty: bool


def band_chart(
    title: str,
    summary: str,
    names: tuple[str, str],
    steps: Sequence[LinePoint],
    *,
    time_word: str,
    unknown_word: str,
    number: Number = plain_number,
) -> LineChart:
    """The lines through what is known; where nothing is, they break.

    Args:
        unknown_word: What the table shows where nothing is known.
    """
    known = [value for step in steps for value in (step.low, step.high) if value is not None]
    axis = axis_to(max(known, default=0.0), number, is_whole=False)
    runs = _runs(steps, axis)
    lines = [run for run in runs if len(run) > 1]
    return LineChart(
        title=title,
        summary=summary,
        names=names,
        axis=axis,
        low=tuple(points([(x, low) for x, low, _ in run]) for run in lines),
        high=tuple(points([(x, high) for x, _, high in run]) for run in lines),
        bands=tuple(
            points([*((x, high) for x, _, high in run), *((x, low) for x, low, _ in reversed(run))]) for run in lines
        ),
        dots=tuple(
            Dot(place(max(0.0, x - 1)), place(min(HEIGHT, x + 1)), place(y), is_high)
            for run in runs
            if len(run) == 1
            for x, *both in run
            for is_high, y in zip((False, True), both, strict=True)
        ),
        times=time_labels([step.label for step in steps]),
        table=table_of(
            [time_word, *names],
            (
                (step.label, (unknown_word if value is None else number(value) for value in (step.low, step.high)))
                for step in steps
            ),
        ),
        is_empty=not known,
    )


def _runs(steps: Sequence[LinePoint], axis: Axis) -> list[list[tuple[float, float, float]]]:
    """Pieces without a gap: place, lower and upper line."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    for at, step in enumerate(steps):
        if step.low is None or step.high is None:
            runs.append([])
        else:
            x = HEIGHT * at / (len(steps) - 1) if len(steps) > 1 else HEIGHT / 2
            runs[-1].append((x, axis.y(step.low), axis.y(step.high)))
    return [run for run in runs if run]
