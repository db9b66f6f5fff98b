"""What is found in memory by its name: models, options and start-up settings, plugins with theirs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote

from flow2api.adapters.console.doors import ConsoleDoors, PluginFacts
from flow2api.adapters.console.links import address
from flow2api.adapters.console.models.rows import PATH as MODELS
from flow2api.adapters.console.models.rows import every_model
from flow2api.adapters.console.plugins.section_views import SECTION_PATH
from flow2api.adapters.console.plugins.views import PATH as PLUGINS
from flow2api.adapters.console.settings.groups import groups
from flow2api.domain.usecases.search import MOST


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found.

    Attributes:
        more: What tells it apart from others of its name.
    """

    words: str
    href: str
    more: str = ""


def models(doors: ConsoleDoors, text: str) -> Sequence[Hit]:
    """Models that have the text in one of their names; those that begin with it first, then the shorter names."""
    text = text.casefold()
    found = [
        (not name.casefold().startswith(text), len(name), one.id, name)
        for one in every_model(doors)
        if (name := next((name for name in (one.id, *one.aliases) if text in name.casefold()), None)) is not None
    ]
    return [
        Hit(model, address(f"{MODELS}/one", {"name": model}), "" if name == model else name)
        for _, _, model, name in sorted(found)[:MOST]
    ]


def options(doors: ConsoleDoors, names: Sequence[str], text: str) -> Sequence[Hit]:
    """Options of these names and those whose label has the text, then settings that act at the start."""
    labels = {one.name: one.label for group in groups() for one in group.options}
    chosen = dict.fromkeys([*names, *(name for name, label in labels.items() if _has(label, text))])
    found = [Hit(name, f"/console/settings?option={quote(name)}", labels.get(name, "")) for name in chosen]
    found += [
        Hit(one.name, f"/console/settings/start-up#setting-{quote(one.name)}")
        for one in doors.server.start_up
        if _has(one.name, text)
    ]
    return found[:MOST]


def plugins(doors: ConsoleDoors, text: str) -> Sequence[Hit]:
    """Plugins, the sections of their settings, and the settings themselves."""
    return list(islice((hit for plugin in doors.plugins for hit in _of_plugin(plugin, text)), MOST))


def _of_plugin(plugin: PluginFacts, text: str) -> Iterator[Hit]:
    page = f"{PLUGINS}#plugin-{quote(plugin.name)}"
    if _has(plugin.name, text) or any(_has(name, text) for name in plugin.brings):
        yield Hit(plugin.name, page, plugin.version)
    described = set()
    for section in plugin.sections:
        place = address(SECTION_PATH, {"section": section.name})
        if _has(section.name, text):
            yield Hit(section.name, place, plugin.name)
        for field in section.fields:
            described.add(field.name)
            if _has(field.name.removeprefix(f"{section.name}."), text) or text.casefold() == field.name:
                yield Hit(field.name, place, plugin.name)
    for setting in plugin.settings:
        if setting.name not in described and _has(setting.name, text):
            yield Hit(setting.name, page, plugin.name)


def _has(name: str, text: str) -> bool:
    """Whether a name has every word of a text, however they are joined."""
    words = _apart(text).split()
    return bool(words) and all(word in _apart(name) for word in words)


def _apart(text: str) -> str:
    return text.casefold().replace("_", " ").replace("-", " ").replace(".", " ")
