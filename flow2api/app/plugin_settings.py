"""Settings that plugins have described, as forms of the console show and check them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from flow2api.adapters.console.doors import PluginField, PluginSection
from flow2api.app.known_plugins import KnownPlugins
from flow2api.domain.errors import ConfigurationError
from flow2api.extensions import (
    Extensions,
    Plugin,
    needed_of,
    read_section,
    read_setting,
    savable_sections,
    secrets_of,
)
from flow2api.settings import PREFIX, SAVED, Settings

_LONGEST_CHECK_S = 5.0
_SET_ELSEWHERE = "not given here"
"""Stands for a secret that a plugin needs, for it is set elsewhere and may come later than the rest."""

Schema = Mapping[str, Any]


class PluginSettings:
    """Looks at settings of plugins before they are saved."""

    def __init__(self, known: KnownPlugins, settings: Settings) -> None:
        self._known = known
        self._settings = settings

    @property
    def start_fault(self) -> str:
        return self._known().start_fault

    def look_at(self, plugin: str) -> None:
        self._known.look_at(plugin)

    def sections_of(self, plugin: str) -> tuple[PluginSection, ...]:
        extensions = self._known()
        found = (one for one in extensions.plugins if one.name == plugin)
        return tuple(section for one in found for section in described_sections(one, extensions, self._settings))

    def read(self, name: str, text: str) -> str:
        section, _, setting = name.partition(".")
        described = self._known().described
        if section not in described:
            raise ConfigurationError(f"No plugin that is loaded has described the section {section[:64]!r}.")
        return text_of(read_setting(described[section], setting, text))

    def check(self, section: str, texts: Mapping[str, str]) -> None:
        extensions = self._known()
        plugin, declared = _owners(extensions)[section], extensions.described[section]
        stands = self._settings.sections.get(section, {})
        given = {name: value for name, value in stands.items() if _is_given(self._settings, f"{section}.{name}")}
        hidden = dict.fromkeys(needed_of(declared) & secrets_of(declared), _SET_ELSEWHERE)
        read_section(plugin, declared, {**hidden, **texts, **given}, _LONGEST_CHECK_S)


def described_sections(plugin: Plugin, extensions: Extensions, settings: Settings) -> tuple[PluginSection, ...]:
    """The sections that a plugin has described and in which something can stand."""
    savable = savable_sections(extensions)
    every = (
        PluginSection(
            name=name,
            about=str(schema.get("description", "")),
            is_savable=name in savable,
            fields=tuple(_fields(name, schema, extensions, settings)),
        )
        for name, schema in extensions.section_schemas(plugin).items()
    )
    return tuple(one for one in every if one.fields)


def text_of(value: object) -> str:
    """A value as a text of the environment has it; empty for None."""
    match value:
        case None:
            return ""
        case str():
            return value
        case float() if value.is_integer():
            return f"{value:.0f}"
        case list() | tuple() if all(isinstance(one, str) and "," not in one for one in value):
            return ", ".join(value)
        case _:
            return msgspec.json.encode(value).decode()


def _owners(extensions: Extensions) -> dict[str, Plugin]:
    return {declared.name: one.plugin for one in extensions.registered for declared in one.sections}


def _is_given(settings: Settings, name: str) -> bool:
    return settings.origins.get(name, SAVED) != SAVED


def _fields(section: str, schema: Schema, extensions: Extensions, settings: Settings) -> Iterator[PluginField]:
    hidden = secrets_of(extensions.described[section])
    values = extensions.shown_section(section, settings.sections.get(section, {}))
    for name, written in schema.get("properties", {}).items():
        kind = _plain(written)
        shape = "secret" if name in hidden else _shape(kind)
        yield PluginField(
            name=name,
            variable=f"{PREFIX}{section.upper()}__{name.upper()}",
            help=str(written.get("description", kind.get("description", ""))),
            shape=shape,
            choices=tuple(str(one) for one in kind.get("enum", ())),
            unit=str(written.get("unit", kind.get("unit", ""))),
            least=kind.get("minimum", kind.get("exclusiveMinimum")),
            most=kind.get("maximum", kind.get("exclusiveMaximum")),
            is_above="exclusiveMinimum" in kind,
            is_below="exclusiveMaximum" in kind,
            is_needed=name in schema.get("required", ()),
            default="" if shape == "secret" else text_of(written.get("default")),
            origin=settings.origins.get(f"{section}.{name}", ""),
            value=text_of(values.get(name)),
        )


def _plain(written: Schema) -> Schema:
    """The one type of a setting that may also be absent; else the schema itself."""
    kinds = [one for one in written.get("anyOf", ()) if one.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else written


def _shape(kind: Schema) -> str:
    if "enum" in kind:
        return "choice"
    if kind.get("type") == "array" and kind.get("items", {}).get("type") == "string":
        return "list"
    return _SHAPES.get(kind.get("type", ""), "json")


_SHAPES = {"boolean": "switch", "integer": "whole", "number": "number", "string": "text"}


if TYPE_CHECKING:
    from flow2api.adapters.console import doors

    def _is_plugin_settings(settings: PluginSettings) -> doors.PluginSettings:
        return settings
