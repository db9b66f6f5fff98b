"""Plugins: found, loaded, and put together to what the program chooses from."""

from flow2api.extensions.enabling import enabled_plugins, load_extensions
from flow2api.extensions.isolation import LOADING_S, TookTooLongError, told, within
from flow2api.extensions.plugin import Plugin, PluginState
from flow2api.extensions.registry import Extensions, read_section
from flow2api.extensions.reserved import PROGRAM_COMMANDS, PROGRAM_SETTINGS
from flow2api.extensions.saved_settings import check_saved_setting, savable_sections, with_saved
from flow2api.extensions.sections import needed_of, read_setting, secrets_of
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
    "check_saved_setting",
    "enabled_plugins",
    "load_extensions",
    "needed_of",
    "read_section",
    "read_setting",
    "savable_sections",
    "secrets_of",
    "told",
    "with_saved",
    "within",
]
