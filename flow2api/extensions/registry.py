"""What all plugins have registered, each name once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from flow2api.domain.catalog import Entry
from flow2api.domain.errors import ConfigurationError, PluginError
from flow2api.extensions.isolation import LOADING_S, TookTooLongError, told, within
from flow2api.extensions.plugin import Plugin, PluginState, Registered
from flow2api.extensions.sections import checked_section, masked, schema_of
from flow2api.extensions.shelves import SECTIONED, fault_of, new_shelves
from flow2api.hookspecs import (
    ConsolePanel,
    CoordinationFactory,
    DoctorCheck,
    MediaStoreFactory,
    NamedPolicy,
    NamedProxySelector,
    ObserverFactory,
    ResponseProfile,
    Section,
    SettingsSection,
    StorageFactory,
    UpstreamFactory,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What all plugins have registered, frozen.

    Attributes:
        plugins: Every plugin that is known, those that are not loaded with the reason.
        models: Entries of the catalog, with the plugin that each came from.
        storages: By URL scheme, as are media stores and coordinations.
        commands: By name, with the plugin that each came from.
        schemas: What sections of the settings look like, by section.
        registered: What `extended` and `without` begin with.
        start_fault: Why the program could not be put together with what was saved for plugins, and is without it; empty else.
    """

    plugins: tuple[Plugin, ...]
    models: tuple[tuple[str, Entry], ...]
    policies: Mapping[str, NamedPolicy]
    storages: Mapping[str, StorageFactory]
    media_stores: Mapping[str, MediaStoreFactory]
    coordinations: Mapping[str, CoordinationFactory]
    upstreams: Mapping[str, UpstreamFactory]
    observers: Mapping[str, ObserverFactory]
    proxy_selectors: Mapping[str, NamedProxySelector]
    profiles: Mapping[str, ResponseProfile]
    doctor_checks: Mapping[str, DoctorCheck]
    panels: Mapping[str, ConsolePanel]
    commands: Mapping[str, tuple[str, click.Command]]
    schemas: Mapping[str, SettingsSection]
    registered: tuple[Registered, ...] = ()
    start_fault: str = ""

    @property
    def sections(self) -> frozenset[str]:
        """Names under which plugins have settings of their own, or may have them when they are loaded."""
        factories = (self.storages, self.media_stores, self.coordinations)
        named = {one.name for each in factories for one in each.values()}
        others = {plugin.name for plugin in self.plugins if not plugin.is_built_in}
        return frozenset({*self.upstreams, *self.observers, *self.panels, *named, *self.schemas, *others})

    @property
    def described(self) -> Mapping[str, SettingsSection]:
        """What sections of the settings look like, those included that do not fit and left their plugins out."""
        return {**{declared.name: declared for one in self.registered for declared in one.sections}, **self.schemas}

    @property
    def left_out(self) -> tuple[Plugin, ...]:
        """The plugins that were to be loaded and could not be."""
        return tuple(plugin for plugin in self.plugins if plugin.state is PluginState.FAILED)

    def foreign_owner(self, item: object) -> str | None:
        """The plugin that registered this very item; None when it is part of the program, or of one that embeds it."""
        for one in self.registered:
            if one.plugin.is_foreign and any(item is each for items in one.items.values() for each in items):
                return one.plugin.name
        return None

    @property
    def modules(self) -> Mapping[str, str]:
        """The plugins that are loaded, by the module or package that holds their code."""
        loaded = [one.plugin for one in self.registered if one.plugin.state is PluginState.LOADED and one.plugin.module]
        return {_package(plugin): plugin.name for plugin in loaded}

    @property
    def told_left_out(self) -> str:
        """The same as the end of a sentence, for whoever misses what they would have brought; empty when there is none."""
        told = " ".join(f"{plugin.name!r} ({plugin.error})" for plugin in self.left_out)
        return f" Plugins that were left out: {told}" if told else ""

    def extended(self, more: Iterable[Registered]) -> "Extensions":
        """The same with more plugins; what is known of one by its name already is replaced."""
        added = {one.plugin.name: one for one in more}
        kept = [one for one in self.registered if one.plugin.is_built_in or one.plugin.name not in added]
        return gathered([*kept, *added.values()])

    def checked(
        self, given: Mapping[str, Section], *, within_s: float = LOADING_S
    ) -> tuple["Extensions", dict[str, Section]]:
        """The same without the plugins whose section of the settings does not fit, and the sections as they are read.

        Args:
            within_s: How long each section may take, for what it looks like may be code of a plugin.

        Raises:
            ConfigurationError: A section of a built-in plugin does not fit.
        """
        sections = dict(given)
        left_out: list[Registered] = []
        for one in self.registered:
            for declared in one.items.get("register_settings", ()):
                try:
                    sections[declared.name] = read_section(one.plugin, declared, given.get(declared.name, {}), within_s)
                except ConfigurationError as error:
                    if one.plugin.is_built_in:
                        raise
                    left_out.append(one.left_out_by_settings(error.message))
                    break
        return (self.extended(left_out) if left_out else self), sections

    def section_schemas(self, plugin: Plugin) -> dict[str, dict[str, Any]]:
        """What the sections of a plugin look like that it has described, each as a JSON Schema.

        Empty unless it is loaded, or was left out because of them.
        """
        found = (one for one in self.registered if one.plugin is plugin)
        return {declared.name: schema_of(declared) for one in found for declared in one.sections}

    def shown_section(self, name: str, section: Section) -> dict[str, object]:
        """A section as it may be shown."""
        return masked(section, is_declared=name in self.schemas)

    def shown_sections(self, plugin: Plugin, sections: Mapping[str, Section]) -> dict[str, dict[str, object]]:
        """The settings of a plugin that is loaded, its secrets masked."""
        if plugin.state is not PluginState.LOADED:
            return {}
        one = next(each for each in self.registered if each.plugin is plugin)
        named = (getattr(item, "name", "") for hook, items in one.items.items() if hook in SECTIONED for item in items)
        return {
            name: self.shown_section(name, sections[name])
            for name in dict.fromkeys([*named, plugin.name])
            if sections.get(name)
        }


def read_section(
    plugin: Plugin, declared: SettingsSection, given: Section, within_s: float = LOADING_S
) -> dict[str, Any]:
    """A section of a plugin as it is read, within a time.

    Raises:
        ConfigurationError: It does not fit, or what it looks like is code that fails or hangs.
    """
    if plugin.is_built_in:
        return checked_section(declared, given)
    while_read = f"while its section `{declared.name}` was read"
    try:
        return within(within_s, lambda: checked_section(declared, given))
    except ConfigurationError:
        raise
    except TookTooLongError:
        raise ConfigurationError(f"It did not come to an end within {within_s:g} s {while_read}.") from None
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"It failed {while_read}: {told(error)}") from error


def _package(plugin: Plugin) -> str:
    module = plugin.module or ""
    return module if module.startswith("flow2api.") else module.partition(".")[0]


def gathered(registered: Sequence[Registered]) -> Extensions:
    """Everything together, in the order of the plugins. One that cannot stand beside those before it is left out.

    Raises:
        PluginError: It is a built-in one.
    """
    shelves = {shelf.hook: shelf for shelf in new_shelves()}
    models: list[tuple[str, Entry]] = []
    kept: list[Registered] = []
    for one in registered:
        fault = fault_of(one, shelves.values(), models, kept)
        if fault is not None and one.plugin.is_built_in:
            raise PluginError(fault)
        if fault is not None:
            kept.append(one.left_out(fault))
            continue
        for shelf in shelves.values():
            shelf.put(one)
        models += [(one.plugin.name, entry) for entry in one.items.get("register_models", ())]
        kept.append(one)
    owners = shelves["register_cli_commands"].owners
    return Extensions(
        plugins=tuple(one.plugin for one in kept),
        models=tuple(models),
        policies=shelves["register_selection_policies"].items,
        storages=shelves["register_storages"].items,
        media_stores=shelves["register_media_stores"].items,
        coordinations=shelves["register_coordinations"].items,
        upstreams=shelves["register_upstreams"].items,
        observers=shelves["register_observers"].items,
        proxy_selectors=shelves["register_proxy_selectors"].items,
        profiles=shelves["register_response_profiles"].items,
        doctor_checks=shelves["register_doctor_checks"].items,
        panels=shelves["register_console_panels"].items,
        commands={name: (owners[name], item) for name, item in shelves["register_cli_commands"].items.items()},
        schemas=shelves["register_settings"].items,
        registered=tuple(kept),
    )
