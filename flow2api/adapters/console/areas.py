"""The areas of the console, each a package with its controller, its views and what it keeps live."""

from litestar.types import ControllerRouterHandler

from flow2api.adapters.console.account_moves import (
    LIVE_IMPORT,
    AddAccountController,
    ExportController,
    ExtensionController,
    ImportController,
)
from flow2api.adapters.console.live import EventsController, LiveView
from flow2api.adapters.console.overview import LIVE_OVERVIEW, OverviewController
from flow2api.adapters.console.set_up import FirstStepsController
from flow2api.adapters.console.settings import SETTINGS_CONTROLLERS
from flow2api.adapters.console.you import SecondFactorController, YouController

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    AddAccountController,
    EventsController,
    FirstStepsController,
    ExportController,
    ExtensionController,
    ImportController,
    OverviewController,
    *SETTINGS_CONTROLLERS,
    SecondFactorController,
    YouController,
)

LIVE_VIEWS: tuple[LiveView, ...] = (LIVE_IMPORT, LIVE_OVERVIEW)
