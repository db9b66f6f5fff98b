"""The program itself: its settings, its plugins, its end."""

from flow2api.domain.errors.base import Flow2ApiError


class ShuttingDownError(Flow2ApiError):
    """The server takes no new work: it is stopping."""

    code = "shutting_down"


class ConfigurationError(Flow2ApiError):
    """A setting is wrong; the message names it and the cure."""

    code = "configuration_error"


class PluginError(ConfigurationError):
    """A plugin cannot be loaded, or two of them want the same name."""

    code = "plugin_error"
