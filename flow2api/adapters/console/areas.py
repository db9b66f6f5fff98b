"""The areas of the console, each a package with its controller, its views and what it keeps live."""

from litestar.types import ControllerRouterHandler

from flow2api.adapters.console.accounts import LIVE_ACCOUNT, LIVE_ACCOUNTS, AccountController, AccountsController
from flow2api.adapters.console.live import EventsController, LiveView
from flow2api.adapters.console.overview import LIVE_OVERVIEW, OverviewController
from flow2api.adapters.console.plugins import PluginsController
from flow2api.adapters.console.system import LIVE_SYSTEM, SystemController

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    AccountController,
    AccountsController,
    EventsController,
    OverviewController,
    PluginsController,
    SystemController,
)

LIVE_VIEWS: tuple[LiveView, ...] = (
    LIVE_ACCOUNT,
    LIVE_ACCOUNTS,
    LIVE_OVERVIEW,
    LIVE_SYSTEM,
)
