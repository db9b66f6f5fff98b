"""What the console shows of plugins."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from flow2api.adapters.console.doors import PluginFacts, PluginSetting
from flow2api.app.plugin_settings import described_sections, text_of
from flow2api.extensions import Extensions, Plugin
from flow2api.settings import PREFIX, Settings


def plugin_facts(extensions: Extensions, settings: Settings) -> Sequence[PluginFacts]:
    """Every plugin that is known, those first that could not be loaded, the built-in ones last."""
    every = (_facts(plugin, extensions, settings) for plugin in extensions.plugins)
    return sorted(every, key=lambda one: (one.error is None, one.is_built_in, one.name))


def _facts(plugin: Plugin, extensions: Extensions, settings: Settings) -> PluginFacts:
    return PluginFacts(
        name=plugin.name,
        version=plugin.version or "",
        source=plugin.source,
        state=plugin.state.value,
        is_built_in=plugin.is_built_in,
        is_enabled_by_settings=plugin.name in settings.plugins,
        error=plugin.error,
        hooks=plugin.hooks,
        sha256=plugin.sha256 or "",
        brings=tuple(_brought(plugin, extensions)),
        settings=tuple(_settings(plugin, extensions, settings)),
        sections=described_sections(plugin, extensions, settings),
    )


def _brought(plugin: Plugin, extensions: Extensions) -> Iterator[str]:
    """The names under which operators choose what it brings."""
    for one in extensions.registered:
        if one.plugin is plugin:
            for hook, items in one.items.items():
                if hook not in ("register_models", "register_settings"):
                    yield from (str(getattr(item, "name", "")) for item in items)


def _settings(plugin: Plugin, extensions: Extensions, settings: Settings) -> Iterator[PluginSetting]:
    shown = extensions.shown_sections(plugin, settings.sections)
    declared: Mapping[str, Any] = extensions.schemas
    for section in dict.fromkeys([*shown, *_declared_by(plugin, extensions)]):
        values = shown.get(section, {})
        types = _types(declared[section].schema) if section in declared else {}
        for name in dict.fromkeys([*types, *values]):
            yield PluginSetting(
                name=f"{section}.{name}",
                variable=f"{PREFIX}{section.upper()}__{name.upper()}",
                kind=types.get(name, ""),
                value=text_of(values.get(name)),
            )


def _declared_by(plugin: Plugin, extensions: Extensions) -> Iterator[str]:
    for one in extensions.registered:
        if one.plugin is plugin:
            yield from (str(item.name) for item in one.items.get("register_settings", ()))


def _types(schema: type[msgspec.Struct]) -> dict[str, str]:
    return {one.encode_name: getattr(one.type, "__name__", str(one.type)) for one in msgspec.structs.fields(schema)}
