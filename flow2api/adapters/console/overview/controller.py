"""The handlers of the page."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.overview.views import Now, look, look_now
from flow2api.adapters.console.panels import panels_of
from flow2api.adapters.console.visit import Visit
from flow2api.domain.panels import PanelPlace

_PARTS = {
    "verdict": "overview/_verdict.html",
    "attention": "overview/_attention.html",
    "kpis": "overview/_kpis.html",
    "running": "overview/_running.html",
    "accounts": "overview/_accounts.html",
    "latest": "overview/_latest.html",
}


class OverviewController(Controller):
    """Whether the pool is well, and what needs care."""

    path = "/console"

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        page = await look(visit.doors, visit.query("span"))
        return await visit.page(
            "overview/index.html",
            page.now,
            area="overview",
            live="overview" if page.now.accounts else "",
            page=page,
            panels=await panels_of(visit, PanelPlace.OVERVIEW),
        )


async def _now(visit: Visit) -> Now:
    return await look_now(visit.doors, visit.query("span"))


LIVE_OVERVIEW = LiveView("overview", "overview", _PARTS, _now)
"""What the page shows."""
