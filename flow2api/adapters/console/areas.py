"""The areas of the console, each a package with its controller, its views and what it keeps live."""

from litestar.types import ControllerRouterHandler

from flow2api.adapters.console.connect.controller import LIVE_CHECK, ConnectController
from flow2api.adapters.console.connect.outside import SeenController
from flow2api.adapters.console.generations import (
    LIVE_GENERATION,
    LIVE_GENERATIONS,
    GenerationsController,
    MediaController,
)
from flow2api.adapters.console.live import EventsController, LiveView
from flow2api.adapters.console.overview import LIVE_OVERVIEW, OverviewController
from flow2api.adapters.console.playground import LIVE_RUN, PlaygroundController

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    ConnectController,
    EventsController,
    GenerationsController,
    MediaController,
    OverviewController,
    PlaygroundController,
)

OPEN_CONTROLLERS: tuple[ControllerRouterHandler, ...] = (SeenController,)
"""What needs no session."""

LIVE_VIEWS: tuple[LiveView, ...] = (
    LIVE_CHECK,
    LIVE_GENERATION,
    LIVE_GENERATIONS,
    LIVE_OVERVIEW,
    LIVE_RUN,
)
