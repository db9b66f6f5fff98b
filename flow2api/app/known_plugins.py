"""The plugins as they were found at the start, and what those have described that somebody wants since."""

from pathlib import Path
from threading import Lock

from flow2api.extensions import Extensions, PluginState, enabled_plugins


class KnownPlugins:
    """What is known of plugins now. Calling it gives that; nothing is looked for then.

    A plugin that was looked at is known by what it registers. It still takes part in nothing before the next start.

    Args:
        folder: Where plugins lie that are single files; empty for nowhere.
    """

    def __init__(self, extensions: Extensions, folder: str = "") -> None:
        self._now = extensions
        self._folder = Path(folder) if folder else None
        self._looking = Lock()

    def __call__(self) -> Extensions:
        return self._now

    def look_at(self, name: str) -> None:
        """Load a plugin to see which settings it has, as the next start would; nothing changes when it cannot be loaded.

        It runs code of the plugin, and may take as long as loading may take: use a thread.
        """
        with self._looking:
            if any(one.name == name and one.state is PluginState.NOT_ENABLED for one in self._now.plugins):
                found = (one for one in enabled_plugins([name], folder=self._folder) if one.plugin.name == name)
                self._now = self._now.extended(one for one in found if one.plugin.state is PluginState.LOADED)
