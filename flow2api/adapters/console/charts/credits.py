"""Credits that are left day by day, and where they are going."""

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
class CreditsWords:
    """What the table and the legend say.

    Attributes:
        day: Above the days.
        left: Above what was left.
        forecast: Of what is expected.
        unknown: Where nothing is known.
    """

    day: str
    left: str
    forecast: str
    unknown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsChart:
    """What was left, as a line in its unbroken pieces with the area under it, and the forecast as another line.

    Attributes:
        forecast: None when nothing can be told.
        now: Where today stands; None without a forecast.
        is_empty: Whether nothing is known at all.
    """

    title: str
    summary: str
    axis: Axis
    runs: tuple[str, ...]
    areas: tuple[str, ...]
    forecast: str | None
    now: str | None
    times: tuple[TimeLabel, ...]
    words: CreditsWords
    table: ChartTable
    is_empty: bool


def credits_chart(
    title: str,
    summary: str,
    seen: Sequence[tuple[str, int | None]],
    expected: Sequence[tuple[str, float]],
    words: CreditsWords,
    *,
    number: Number = plain_number,
) -> CreditsChart:
    """The chart of these days.

    Args:
        seen: Each day and what was left, oldest first; None where nobody looked.
        expected: The days to come, with what will be left at this pace; none when that cannot be told.
    """
    last = next((at for at in range(len(seen) - 1, -1, -1) if seen[at][1] is not None), None)
    days = len(seen) + len(expected)
    axis = axis_to(max((left for _, left in [*seen, *expected] if left is not None), default=0.0), number)
    runs = _runs(seen, days, axis)
    forecast = None
    if expected and last is not None:
        ahead = [(_x(len(seen) + at, days), axis.y(left)) for at, (_, left) in enumerate(expected)]
        forecast = points([(_x(last, days), axis.y(seen[last][1] or 0)), *ahead])
    rows = [(day, (words.unknown if left is None else number(left),)) for day, left in seen]
    rows += [(f"{day}, {words.forecast}", (number(left),)) for day, left in expected]
    return CreditsChart(
        title=title,
        summary=summary,
        axis=axis,
        runs=tuple(map(points, runs)),
        areas=tuple(points([(run[0][0], HEIGHT), *run, (run[-1][0], HEIGHT)]) for run in runs),
        forecast=forecast,
        now=None if forecast is None else place(_x(len(seen) - 1, days)),
        times=time_labels([day for day, _ in [*seen, *expected]]),
        words=words,
        table=table_of([words.day, words.left], rows),
        is_empty=last is None,
    )


def _runs(seen: Sequence[tuple[str, int | None]], days: int, axis: Axis) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for at, (_, left) in enumerate(seen):
        if left is None:
            runs.append([])
        else:
            runs[-1].append((_x(at, days), axis.y(left)))
    return [run if len(run) > 1 else _dash(run[0]) for run in runs if run]


def _dash(point: tuple[float, float]) -> list[tuple[float, float]]:
    """A single day as a short line, which is seen at either edge."""
    x, y = point
    return [(max(0.0, x - 1), y), (min(HEIGHT, x + 1), y)]


def _x(at: int, days: int) -> float:
    return HEIGHT * at / (days - 1) if days > 1 else HEIGHT / 2
