"""Small drawings of one line: the last checks, slots in use, and what a whole is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flow2api.adapters.console.charts.scale import place

SHOWN = 30
_BEAT = 7
_SLOT = 9
_MOST_SLOTS = 8
_WHOLE = 1000.0
_GAP = 2.0


class Beat(StrEnum):
    """How a check went; the value is the style sheet's name for it."""

    FINE = "ok"
    SLOW = "warn"
    FAILED = "err"
    NOT_RUN = "off"


@dataclass(frozen=True, slots=True)
class BeatMark:
    """A rectangle of the strip."""

    beat: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Beats:
    """The last checks, oldest first: shapes differ, not colours alone.

    Attributes:
        label: The counts in words.
    """

    label: str
    marks: tuple[BeatMark, ...]
    width: int = SHOWN * _BEAT - 2


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots in use of those that there are.

    Attributes:
        marks: The left edge of each box, and whether it is in use; none when there are too many to draw, or no limit.
        words: The same in words, such as ``2 / 4``.
    """

    marks: tuple[tuple[int, bool], ...]
    width: int
    words: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole; colours are those of `Series`."""

    name: str
    colour: str
    value: float


@dataclass(frozen=True, slots=True)
class PartBar:
    """A rectangle of the bar."""

    colour: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class StackBar:
    """What a whole is made of.

    Attributes:
        label: The same in words.
        legend: Colour and words of each part that is not nothing.
    """

    label: str
    bars: tuple[PartBar, ...]
    legend: tuple[tuple[str, str], ...]


_SHAPES = {
    Beat.FINE: ((0, 5, 20),),
    Beat.SLOW: ((7, 5, 13),),
    Beat.FAILED: ((0, 5, 8), (12, 5, 8)),
    Beat.NOT_RUN: ((8, 4, 4),),
}
"""Upper edge, width and height of the rectangles of each."""


def beats_strip(label: str, checks: Sequence[Beat]) -> Beats:
    """The strip of the last thirty checks, oldest first; what is missing in front was not run."""
    shown = [Beat.NOT_RUN] * max(0, SHOWN - len(checks)) + list(checks[-SHOWN:])
    marks = (
        BeatMark(beat.value, at * _BEAT, y, width, height)
        for at, beat in enumerate(shown)
        for y, width, height in _SHAPES[beat]
    )
    return Beats(label, tuple(marks))


def slots_row(used: int, limit: int | None, *, unlimited_word: str) -> Slots:
    """Boxes for slots, the first ones in use. More in use than there are is shown in words only."""
    if limit is None:
        return Slots((), 0, f"{used} / {unlimited_word}")
    if limit > _MOST_SLOTS:
        return Slots((), 0, f"{used} / {limit}")
    marks = tuple((1 + at * _SLOT, at < used) for at in range(limit))
    return Slots(marks, limit * _SLOT + 1 if limit else 0, f"{used} / {limit}")


def stack_bar(label: str, parts: Sequence[Part], words: Sequence[str]) -> StackBar:
    """The bar of these parts; what is nothing takes no room.

    Args:
        words: What the legend says of each part.
    """
    drawn = [(part, said) for part, said in zip(parts, words, strict=True) if part.value > 0]
    whole = sum(part.value for part, _ in drawn)
    room = _WHOLE - _GAP * max(0, len(drawn) - 1)
    bars, x = [], 0.0
    for part, _ in drawn:
        width = room * part.value / whole
        bars.append(PartBar(part.colour, place(x), place(width)))
        x += width + _GAP
    return StackBar(label, tuple(bars), tuple((part.colour, said) for part, said in drawn))
