"""Plugins: found, loaded, and put together to what the program chooses from."""

from flow2api.extensions.enabling import enabled_plugins, load_extensions
from flow2api.extensions.isolation import LOADING_S, TookTooLongError, told, within
from flow2api.extensions.plugin import Plugin, PluginState
from flow2api.extensions.registry import Extensions
from flow2api.extensions.reserved import PROGRAM_COMMANDS, PROGRAM_SETTINGS
from flow2api.extensions.sources import BUILT_IN

__all__ = [
    "BUILT_IN",
    "LOADING_S",
    "PROGRAM_COMMANDS",
    "PROGRAM_SETTINGS",
    "Extensions",
    "Plugin",
    "PluginState",
    "TookTooLongError",
    "enabled_plugins",
    "load_extensions",
    "told",
    "within",
]
