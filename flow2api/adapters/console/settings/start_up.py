"""The start-up settings, to be looked at: they are changed in the file or the environment, and act at the next start."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from flow2api.adapters.console.settings.views import Tab, tabs
from flow2api.adapters.console.visit import Visit
from flow2api.domain.start_up import StartUpSetting


@dataclass(frozen=True, slots=True)
class StartUpPage:
    """The start-up settings; none of them is a secret."""

    tabs: Sequence[Tab]
    settings: Sequence[StartUpSetting]


class StartUpController(Controller):
    """Shows them."""

    path = "/console/settings/start-up"

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        view = StartUpPage(tabs("start-up"), visit.doors.server.start_up)
        return await visit.page("settings/start_up.html", view, area="settings")
