"""The handler of the page."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from flow2api.adapters.console.visit import Visit


class MoreController(Controller):
    """The other places."""

    path = "/console/more"

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The list of them; the frame knows them."""
        return await visit.page("more/index.html", None, area="more")
