"""Tables for people: aligned in every script, and cut to the width of the terminal."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

GAP = "  "
NARROWEST = 8
"""A column is never cut below this."""

_DIRECTIONS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def render(headings: Sequence[str], rows: Sequence[Sequence[object]], width: int | None = None) -> str:
    """The table as text, without a line end at its end.

    Args:
        width: How many cells a line may have; None cuts nothing.
    """
    lines = [list(headings), *([text_of(value) for value in row] for row in rows)]
    widths = [max(cells_of(line[column]) for line in lines) for column in range(len(headings))]
    if width is not None:
        _shrink(widths, width - len(GAP) * (len(widths) - 1))
    return "\n".join(
        GAP.join(_fitted(cell, cells) for cell, cells in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def render_facts(facts: Sequence[tuple[str, object]]) -> str:
    """Names and values, one pair a line, the values aligned."""
    widest = max(cells_of(name) for name, _ in facts)
    return "\n".join(f"{_fitted(name, widest)}{GAP}{text_of(value)}" for name, value in facts)


def text_of(value: object) -> str:
    """How a value is shown in one cell: in one line, and with nothing in it that would steer the terminal."""
    match value:
        case None | "" | ():
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
        case tuple() | list() | frozenset():
            items = value if isinstance(value, tuple | list) else sorted(value, key=str)
            return " ".join(text_of(item) for item in items)
        case _:
            return printable(str(value))


def printable(text: str) -> str:
    """The text without characters that would move the cursor, colour the screen, or turn the direction of writing."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(one) in _UNPRINTABLE or one in _DIRECTIONS else one
        for one in text
    )


def cells_of(text: str) -> int:
    """How many cells of a terminal the text takes: two for each wide character, none for marks over others."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in _INVISIBLE:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _shrink(widths: list[int], room: int) -> None:
    """Take from the widest columns until all fit, or none can be cut any more."""
    while sum(widths) > room:
        widest = max(range(len(widths)), key=widths.__getitem__)
        others = [width for column, width in enumerate(widths) if column != widest]
        target = max(NARROWEST, max(others, default=0), widths[widest] - (sum(widths) - room))
        target = min(target, widths[widest] - 1)
        if target < NARROWEST:
            return
        widths[widest] = target


def _fitted(text: str, width: int) -> str:
    cells = cells_of(text)
    if cells <= width:
        return text + " " * (width - cells)
    kept, used = "", 0
    for one in text:
        if used + _cells(one) > width - 1:
            break
        kept, used = kept + one, used + _cells(one)
    return f"{kept}…" + " " * (width - used - 1)
