"""Where the time of a generation went: waiting, its phases, and what was lost in attempts that came to nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from flow2api.domain.generation import Generation, Phase

WAIT = "wait"
LOST = "lost"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the time.

    Attributes:
        name: ``wait``, ``lost``, or that of a phase.
        start: Where it begins, as a share of the whole.
        share: How much of the whole it is.
    """

    name: str
    ms: int
    start: float
    share: float


def course_of(generation: Generation, total_ms: int) -> Sequence[Span]:
    """The time by what it went into, in the order in which it began; what took no time is left out.

    Args:
        total_ms: From when it was asked for to its end, or to now.
    """
    sums: dict[str, int] = {}
    for name, begins, ends in _parts(generation, total_ms):
        sums[name] = sums.get(name, 0) + max(0, ends - begins)
    whole, start = sum(sums.values()), 0.0
    spans = []
    for name, ms in sums.items():
        if ms:
            spans.append(Span(name, ms, start, ms / whole))
            start += ms / whole
    return spans


def _parts(generation: Generation, total_ms: int) -> Sequence[tuple[str, int, int]]:
    """Name, beginning and end of each stretch between two moments at which something changed."""
    lost = [(one.at_ms, one.at_ms + one.took_ms) for one in generation.failed_attempts]
    marks = [(one.at_ms, one.phase) for one in generation.passages]
    edges = sorted({0, total_ms, *(at for at, _ in marks), *(edge for span in lost for edge in span)})
    edges = [edge for edge in edges if edge <= total_ms]
    parts = []
    for begins, ends in pairwise(edges):
        if any(start <= begins < stop for start, stop in lost):
            name = LOST
        else:
            name = _phase_at(marks, begins, last_lost=max((stop for _, stop in lost if stop <= begins), default=-1))
        parts.append((name, begins, ends))
    return parts


def _phase_at(marks: Sequence[tuple[int, Phase]], at: int, *, last_lost: int) -> str:
    """The phase of that moment; between a failed attempt and the next phase it waits."""
    begun = [(begins, phase) for begins, phase in marks if begins <= at]
    if not begun or begun[-1][0] < last_lost:
        return WAIT
    return WAIT if begun[-1][1] is Phase.LEASING else begun[-1][1].value
