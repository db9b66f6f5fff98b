"""The manager that one plugin's hooks are called through."""

from typing import Any

import pluggy

from flow2api import hookspecs
from flow2api.hookspecs import PROJECT


class HookManager(pluggy.PluginManager):
    """Knows every hook of `hookspecs`, and no plugin yet."""

    def __init__(self) -> None:
        super().__init__(PROJECT)
        self.add_hookspecs(hookspecs)

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> Any:
        """As its base does, for hooks alone: to look at all else of the module for each plugin takes a third of their loading."""
        return super().parse_hookspec_opts(module_or_class, name) if name.startswith("register_") else None
