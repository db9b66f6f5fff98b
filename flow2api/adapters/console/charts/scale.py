"""How figures become places: axes that end at round numbers, and labels that do not crowd."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Number = Callable[[float], str]
"""Writes a figure as people of a language do, with its unit if it has one."""

HEIGHT = 100.0
_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_MOST_LABELS = 9


@dataclass(frozen=True, slots=True)
class GridLine:
    """A line across the drawing, with what stands beside it."""

    y: str
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The upright axis, from 0 to ``top``; its lines from the top down."""

    top: float
    lines: tuple[GridLine, ...]

    def y(self, value: float) -> float:
        """Where a figure stands, from the top of the drawing; what is beyond stands at the edge."""
        return HEIGHT - HEIGHT * min(max(value / self.top, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class TimeLabel:
    """A label under the drawing; every other one may go where there is little room."""

    text: str
    may_go: bool


def plain_number(value: float) -> str:
    """A figure with commas, and with one decimal when it has any."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def axis_to(largest: float, number: Number = plain_number, *, is_whole: bool = True) -> Axis:
    """An axis with room for the largest figure; without one, up to 1.

    Args:
        is_whole: Figures are counted, so that lines stand at whole numbers only.
    """
    top = _round_up(largest) if math.isfinite(largest) and largest > 0 else 1.0
    top = max(1.0, math.ceil(top)) if is_whole else top
    parts = next((count for count in (4, 5, 3, 2) if not is_whole or (top / count).is_integer()), 1)
    values = [top * number / parts for number in range(parts, -1, -1)]
    return Axis(top, tuple(GridLine(place(HEIGHT - HEIGHT * value / top), number(value)) for value in values))


def place(value: float) -> str:
    """A place in the drawing as it is written: two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def time_labels(labels: Sequence[str]) -> tuple[TimeLabel, ...]:
    """Some of the labels, evenly spread from the first to the last."""
    if len(labels) <= _MOST_LABELS:
        chosen = list(labels)
    else:
        chosen = [labels[round(at * (len(labels) - 1) / (_MOST_LABELS - 1))] for at in range(_MOST_LABELS)]
    return tuple(TimeLabel(text, number % 2 == 1) for number, text in enumerate(chosen))


def _round_up(value: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(value))
    return next(step * magnitude for step in _ROUND if step * magnitude >= value * (1 - 1e-9))
