"""Figures, read and condensed. They are counted by the journal."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from flow2api.domain.statistics import Counts, Dimension, Scope

Figures = Mapping[str | int, Counts]
"""Counts by the id of an account or key, or by the name of a model; under ``""`` when nothing is told apart."""


class Statistics(Protocol):
    """Figures by quarter hours, by days, and in total.

    What is counted in quarters is in no day yet, and the reverse. Totals hold everything that was ever counted.
    """

    async def totals(self, by: Dimension | None, scope: Scope) -> Figures:
        """Everything since the beginning."""
        ...

    async def of_quarters(self, quarters: range, by: Dimension | None, scope: Scope) -> Figures:
        """What was counted in these quarter hours (by their numbers) and is not condensed yet."""
        ...

    async def of_days(self, days: Sequence[str], by: Dimension | None, scope: Scope) -> Figures:
        """What is condensed in these days (``2026-11-23``)."""
        ...

    async def by_quarter(self, quarters: range, scope: Scope) -> Mapping[int, Counts]:
        """The same as `of_quarters`, by quarter; those without anything are left out."""
        ...

    async def by_day(self, first: str, last: str, scope: Scope) -> Mapping[str, Counts]:
        """The same as `of_days`, by day, both ends included; those without anything are left out."""
        ...

    async def oldest_quarter(self) -> int | None:
        """The first quarter hour that is not condensed yet; None when there is none."""
        ...

    async def condense(self, quarters: range, day: str, limit: int) -> int:
        """Add quarter hours to a day and drop them, in one short step.

        Returns:
            How many rows were worked off; fewer than ``limit`` when no more are left.
        """
        ...

    async def forget_days(self, before: str, limit: int) -> int:
        """Drop days from before this one; the totals stay.

        Returns:
            How many rows have gone; fewer than ``limit`` when no more are left.
        """
        ...


@runtime_checkable
class TellsModelsByTime(Protocol):
    """Figures that tell models apart by time, at one look.

    Statistics may offer this; of those that do not, each model is asked for by itself.
    """

    async def models_by_quarter(self, quarters: range, scope: Scope) -> Mapping[tuple[int, str], Counts]:
        """What was counted in each of these quarter hours for each model; what has nothing is left out."""
        ...

    async def models_by_day(self, first: str, last: str, scope: Scope) -> Mapping[tuple[str, str], Counts]:
        """The same of days, both ends included."""
        ...
