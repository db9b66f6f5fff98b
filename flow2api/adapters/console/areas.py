"""The areas of the console, each a package with its controller, its views and what it keeps live."""

from litestar.types import ControllerRouterHandler

from flow2api.adapters.console.account_moves import (
    LIVE_IMPORT,
    AddAccountController,
    ExportController,
    ExtensionController,
    ImportController,
)
from flow2api.adapters.console.accounts import (
    LIVE_ACCOUNT,
    LIVE_ACCOUNTS,
    AccountController,
    AccountsController,
    DeletedAccountsController,
)
from flow2api.adapters.console.audit import AuditController
from flow2api.adapters.console.connect.controller import LIVE_CHECK, ConnectController
from flow2api.adapters.console.connect.outside import SeenController
from flow2api.adapters.console.generations import (
    LIVE_GENERATION,
    LIVE_GENERATIONS,
    GenerationsController,
    MediaController,
)
from flow2api.adapters.console.keys import KeysController
from flow2api.adapters.console.live import EventsController, LiveView
from flow2api.adapters.console.models import ModelRoutesController, ModelsController
from flow2api.adapters.console.more import MoreController
from flow2api.adapters.console.overview import LIVE_OVERVIEW, OverviewController
from flow2api.adapters.console.playground import LIVE_RUN, PlaygroundController
from flow2api.adapters.console.plugins import PluginsController
from flow2api.adapters.console.requests import LIVE_REQUESTS, RequestsController
from flow2api.adapters.console.search import SearchController
from flow2api.adapters.console.set_up import FirstStepsController
from flow2api.adapters.console.settings import SETTINGS_CONTROLLERS
from flow2api.adapters.console.system import LIVE_SYSTEM, SystemController
from flow2api.adapters.console.you import SecondFactorController, YouController

OPEN_CONTROLLERS: tuple[ControllerRouterHandler, ...] = (SeenController,)
"""What needs no session."""

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    AccountController,
    AccountsController,
    AddAccountController,
    AuditController,
    ConnectController,
    DeletedAccountsController,
    EventsController,
    FirstStepsController,
    ExportController,
    ExtensionController,
    GenerationsController,
    ImportController,
    KeysController,
    MediaController,
    ModelRoutesController,
    ModelsController,
    MoreController,
    OverviewController,
    *SETTINGS_CONTROLLERS,
    SecondFactorController,
    YouController,
    PluginsController,
    SystemController,
    PlaygroundController,
    RequestsController,
    SearchController,
)

LIVE_VIEWS: tuple[LiveView, ...] = (
    LIVE_ACCOUNT,
    LIVE_ACCOUNTS,
    LIVE_CHECK,
    LIVE_GENERATION,
    LIVE_GENERATIONS,
    LIVE_IMPORT,
    LIVE_OVERVIEW,
    LIVE_SYSTEM,
    LIVE_REQUESTS,
    LIVE_RUN,
)
