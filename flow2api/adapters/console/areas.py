"""The areas of the console, each a package with its controller, its views and what it keeps live."""

from litestar.types import ControllerRouterHandler

from flow2api.adapters.console.generations import (
    LIVE_GENERATION,
    LIVE_GENERATIONS,
    GenerationsController,
    MediaController,
)
from flow2api.adapters.console.live import EventsController, LiveView
from flow2api.adapters.console.overview import LIVE_OVERVIEW, OverviewController

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    EventsController,
    GenerationsController,
    MediaController,
    OverviewController,
)

LIVE_VIEWS: tuple[LiveView, ...] = (LIVE_GENERATION, LIVE_GENERATIONS, LIVE_OVERVIEW)
