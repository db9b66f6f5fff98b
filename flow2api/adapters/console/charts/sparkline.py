"""A line without axes, small, beside a number that says what it is of."""

from collections.abc import Sequence
from dataclasses import dataclass

from flow2api.adapters.console.charts.scale import place

_BOTTOM, _TOP, _FLAT = 26.0, 6.0, 16.0


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line and the area under it, in a box of 100 by 30, as points of SVG.

    Attributes:
        runs: The line in its unbroken pieces.
        areas: The same pieces closed along the lower edge.
    """

    runs: tuple[str, ...]
    areas: tuple[str, ...]


def sparkline(values: Sequence[float | None]) -> Sparkline | None:
    """The line through these values; None when there are not two of them to draw a line between.

    A value that is not known breaks the line. Values that are all the same lie in the middle.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    step = 100.0 / (len(values) - 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            y = _FLAT if high == low else _BOTTOM - (_BOTTOM - _TOP) * (value - low) / (high - low)
            runs[-1].append((at * step, y))
    drawn = [_widened(run) for run in runs if run]
    return Sparkline(
        tuple(map(points, drawn)),
        tuple(points([(run[0][0], 30.0), *run, (run[-1][0], 30.0)]) for run in drawn),
    )


def points(places: Sequence[tuple[float, float]]) -> str:
    """Places as SVG writes them."""
    return " ".join(f"{place(x)},{place(y)}" for x, y in places)


def _widened(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A piece that can be seen: of a single value, a short dash."""
    if len(run) > 1:
        return run
    ((x, y),) = run
    return [(max(0.0, x - 0.5), y), (min(100.0, x + 0.5), y)]
