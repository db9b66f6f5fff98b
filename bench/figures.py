"""A measured figure beside its budget."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Attributes:
        row: The number of the budget.
        must: What it must not pass.
        aim: What we would like.
        is_met: Whether the must holds; None when the figure has none.
    """

    row: str
    what: str
    must: str
    aim: str
    measured: str
    is_met: bool | None = None

    def __str__(self) -> str:
        verdict = {True: "met", False: "MISSED", None: ""}[self.is_met]
        return f"row {self.row:>3}: {self.what}: {self.measured} (must {self.must}, aim {self.aim}) {verdict}".rstrip()


def table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| # | what | must | aim | measured | |", "|---|---|---|---|---|---|"]
    for one in figures:
        verdict = {True: "met", False: "missed", None: ""}[one.is_met]
        lines.append(f"| {one.row} | {one.what} | {one.must} | {one.aim} | {one.measured} | {verdict} |")
    return "\n".join(lines)
