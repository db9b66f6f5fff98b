"""The areas of the console, each a package with its controller, its views and what it keeps live."""

from litestar.types import ControllerRouterHandler

from flow2api.adapters.console.keys import KeysController
from flow2api.adapters.console.live import EventsController, LiveView
from flow2api.adapters.console.overview import LIVE_OVERVIEW, OverviewController
from flow2api.adapters.console.requests import LIVE_REQUESTS, RequestsController

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    EventsController,
    KeysController,
    OverviewController,
    RequestsController,
)

LIVE_VIEWS: tuple[LiveView, ...] = (LIVE_OVERVIEW, LIVE_REQUESTS)
