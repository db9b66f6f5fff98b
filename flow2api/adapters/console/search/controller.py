"""The handler of the page."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from flow2api.adapters.console.search.views import found_for
from flow2api.adapters.console.visit import Visit


class SearchController(Controller):
    """One search over everything that has a name or an id."""

    path = "/console/search"

    @get()
    async def search(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """What was found."""
        return await visit.page("search/index.html", await found_for(visit.doors, visit.query("q").strip()), area="")
