"""The pages where options are changed, and what belongs beside them: proxies, messages, operators, start-up settings."""

from flow2api.adapters.console.settings.controller import SettingsController
from flow2api.adapters.console.settings.messages import NotifyTargetsController, WebhooksController
from flow2api.adapters.console.settings.operators import OperatorActionsController, OperatorsController
from flow2api.adapters.console.settings.proxies import ProxiesController
from flow2api.adapters.console.settings.replay import ReplayController
from flow2api.adapters.console.settings.start_up import StartUpController

SETTINGS_CONTROLLERS = (
    SettingsController,
    NotifyTargetsController,
    OperatorActionsController,
    OperatorsController,
    ProxiesController,
    ReplayController,
    StartUpController,
    WebhooksController,
)

__all__ = ["SETTINGS_CONTROLLERS"]
