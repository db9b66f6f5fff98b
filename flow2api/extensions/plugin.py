"""What is known of one plugin: where it came from, what it registered, or why it was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from flow2api.hookspecs import SettingsSection

BUILT_IN_SOURCE = "built-in"
EMBEDDING_SOURCE = "embedding program"


class PluginState(StrEnum):
    """How a plugin stands."""

    LOADED = "loaded"
    NOT_ENABLED = "not enabled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plugin and how it stands.

    Attributes:
        version: Its own; None when it tells none.
        source: Where it came from, in words: ``built-in``, a package, a file.
        hooks: What it implements; empty as long as it is not loaded.
        error: Why it was left out; None when it was not.
        sha256: Of the file that it is; None when it is more than one file.
        module: The module whose code is its own; None when it is none.
    """

    name: str
    source: str
    version: str | None = None
    hooks: tuple[str, ...] = ()
    state: PluginState = PluginState.LOADED
    error: str | None = None
    sha256: str | None = None
    module: str | None = None

    @property
    def is_built_in(self) -> bool:
        """Whether it is part of the program."""
        return self.source == BUILT_IN_SOURCE

    @property
    def is_foreign(self) -> bool:
        """Whether it is neither part of the program nor of the one that embeds it."""
        return self.source not in (BUILT_IN_SOURCE, EMBEDDING_SOURCE)


@dataclass(frozen=True, slots=True)
class Registered:
    """A plugin with what its hooks have returned.

    Attributes:
        items: By hook.
        kept_sections: What a plugin that was left out had described, where its settings were the reason.
    """

    plugin: Plugin
    items: Mapping[str, Sequence[Any]]
    kept_sections: Sequence[SettingsSection] = ()

    @property
    def sections(self) -> Sequence[SettingsSection]:
        """What its sections of the settings look like, so that they can be set right when they were what left it out."""
        return self.items.get("register_settings", self.kept_sections)

    def left_out(self, error: str) -> "Registered":
        """The same, without anything, for this reason."""
        return Registered(replace(self.plugin, state=PluginState.FAILED, error=error), {})

    def left_out_by_settings(self, error: str) -> "Registered":
        """The same without anything but what its settings look like."""
        return replace(self.left_out(error), kept_sections=self.sections)
