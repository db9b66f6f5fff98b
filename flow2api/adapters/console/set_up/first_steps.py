"""What a newcomer does first, in its order, with a mark at what is done."""

from dataclasses import dataclass
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.visit import Visit


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """How far a newcomer has come.

    Attributes:
        accounts: How many accounts there are.
        keys: How many API keys are active.
    """

    accounts: int
    keys: int

    @property
    def now(self) -> str:
        """The step that comes next."""
        if not self.accounts:
            return "account"
        return "prompt" if self.keys else "key"


class FirstStepsController(Controller):
    """The way from an empty server to a first picture."""

    path = "/console/first-steps"

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        return await visit.page("first_steps/index.html", await look(visit.doors), area="overview")


async def look(doors: ConsoleDoors) -> FirstSteps:
    """How far it has come by now."""
    census = await doors.census()
    return FirstSteps(census.total, sum(key.is_active for key in await doors.keys.all()))
