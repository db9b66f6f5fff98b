"""The plugins that were found, what they bring, and which of them are wanted."""

from flow2api.adapters.console.plugins.controller import PluginsController

__all__ = ["PluginsController"]
