"""The areas of the console, each a package with its controller, its views and what it keeps live."""

from litestar.types import ControllerRouterHandler

from flow2api.adapters.console.live import EventsController, LiveView
from flow2api.adapters.console.overview import LIVE_OVERVIEW, OverviewController
from flow2api.adapters.console.playground import LIVE_RUN, PlaygroundController

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    EventsController,
    OverviewController,
    PlaygroundController,
)

LIVE_VIEWS: tuple[LiveView, ...] = (LIVE_OVERVIEW, LIVE_RUN)
