"""Settings of plugins that operators have saved: which there can be, and how they join those that are given."""

from collections.abc import Mapping
from typing import Any

from flow2api.domain.errors import ConfigurationError
from flow2api.extensions.isolation import LOADING_S
from flow2api.extensions.plugin import EMBEDDING_SOURCE, Plugin
from flow2api.extensions.registry import Extensions, read_section
from flow2api.extensions.sections import read_setting, secrets_of
from flow2api.hookspecs import Section, SettingsSection


def check_saved_setting(extensions: Extensions, name: str, text: str) -> None:
    """Whether this may be saved for a setting.

    Args:
        name: With its section, such as ``mine.colour``.
        text: As the environment would have it.

    Raises:
        ConfigurationError: There is no such setting to save, it is a secret, or this is no value of it.
    """
    section, _, setting = name.partition(".")
    if section not in savable_sections(extensions):
        raise ConfigurationError(
            f"No settings can be saved for the section {section[:64]!r}: no plugin of others that is loaded has described it. "
            "Set them in the settings file or the environment."
        )
    declared = extensions.described[section]
    if setting in secrets_of(declared):
        raise ConfigurationError(
            f"The setting {name[:128]} is a secret and is not saved; set it in the settings file or the environment."
        )
    read_setting(declared, setting, text)


def savable_sections(extensions: Extensions) -> Mapping[str, Plugin]:
    """The sections for which settings can be saved, each with its plugin.

    Those of the program itself say where credentials go, and stay with whoever runs the server; those of a storage are needed
    before anything that was saved can be read.
    """
    storages = {factory.name for factory in extensions.storages.values()}
    return {
        declared.name: one.plugin
        for one in extensions.registered
        if not one.plugin.is_built_in and one.plugin.source != EMBEDDING_SOURCE
        for declared in one.sections
        if declared.name not in storages
    }


def with_saved(
    extensions: Extensions, given: Mapping[str, Section], saved: Mapping[str, str], *, within_s: float = LOADING_S
) -> tuple[dict[str, Section], frozenset[str]]:
    """The sections with what was saved for settings that are not given, and the names of those settings.

    What was saved for a section and does not fit (any more) is passed over, so that it keeps no plugin out.
    """
    sections, taken = dict(given), set[str]()
    for section, plugin in savable_sections(extensions).items():
        declared, stands = extensions.described[section], given.get(section, {})
        more = _usable(declared, stands, saved)
        try:
            read_section(plugin, declared, {**stands, **more}, within_s)
        except ConfigurationError:
            continue
        sections[section] = {**stands, **more}
        taken |= {f"{section}.{name}" for name in more}
    return sections, frozenset(taken)


def _usable(declared: SettingsSection, given: Section, saved: Mapping[str, str]) -> dict[str, Any]:
    hidden = secrets_of(declared)
    of_section = {name.partition(".")[2]: text for name, text in saved.items() if name.startswith(f"{declared.name}.")}
    return {name: text for name, text in of_section.items() if name not in given and name not in hidden}
