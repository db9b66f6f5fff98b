"""The handlers of the page."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.overview.views import Overview, look
from flow2api.adapters.console.visit import Visit

_PARTS = {"verdict": "overview/_verdict.html"}


class OverviewController(Controller):
    """Whether the pool is well, and what needs care."""

    path = "/console"

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        return await visit.page("overview/index.html", await _view(visit), area="overview", live="overview")


async def _view(visit: Visit) -> Overview:
    return await look(visit.doors)


LIVE_OVERVIEW = LiveView("overview", "overview", _PARTS, _view)
