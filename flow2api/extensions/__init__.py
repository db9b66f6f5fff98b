"""Plugins: found, loaded, and put together to what the program chooses from."""

from flow2api.extensions.enabling import enabled_plugins, load_extensions
from flow2api.extensions.loading import LOADING_S
from flow2api.extensions.plugin import Plugin, PluginState
from flow2api.extensions.registry import PROGRAM_COMMANDS, Extensions
from flow2api.extensions.sources import BUILT_IN

__all__ = [
    "BUILT_IN",
    "LOADING_S",
    "PROGRAM_COMMANDS",
    "Extensions",
    "Plugin",
    "PluginState",
    "enabled_plugins",
    "load_extensions",
]
