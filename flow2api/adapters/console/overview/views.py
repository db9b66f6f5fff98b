"""What the page shows."""

from dataclasses import dataclass

from flow2api.adapters.console.doors import ConsoleDoors


@dataclass(frozen=True, slots=True)
class Overview:
    """The pool at a glance.

    Attributes:
        ready: How many accounts may work.
        running: How many generations are under way.
    """

    accounts: int
    ready: int
    running: int


async def look(doors: ConsoleDoors) -> Overview:
    """The pool as it is now."""
    census = await doors.census()
    return Overview(census.total, census.active, len(doors.work))
