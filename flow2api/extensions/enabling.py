"""Finds plugins, loads those that are enabled, and leaves out those that cannot be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from flow2api.domain.errors import PluginError
from flow2api.extensions.isolation import LOADING_S, told
from flow2api.extensions.loading import registered, registered_or_left_out
from flow2api.extensions.plugin import Plugin, PluginState, Registered
from flow2api.extensions.registry import Extensions, gathered
from flow2api.extensions.sources import BUILT_IN, Source, built_in, embedded, in_folder, installed


def load_extensions(
    enabled: Sequence[str] = (),
    extra: Mapping[str, Any] | None = None,
    *,
    folder: Path | None = None,
    within_s: float = LOADING_S,
) -> Extensions:
    """Load the built-in plugins, those that are enabled by name, and ``extra``, and ask them for what they have.

    They are loaded in this order: the built-in ones, the enabled ones as they are named, ``extra``. Of two that want the same
    name the later one is left out. So is one that fails, hangs, or returns what is not promised; `Extensions.left_out` says why.

    Args:
        enabled: Names of installed plugins, and of files in the folder.
        extra: Further plugins by name (tests, embedding programs); each takes the place of any other one of its name.
        folder: Where plugins lie that are single files; None for nowhere.
        within_s: How long each may take to load.

    Raises:
        PluginError: A built-in plugin cannot be loaded.
    """
    ours = [registered(source) for source in built_in()]
    extra = extra or {}
    names = [name for name in enabled if name not in extra]
    theirs = enabled_plugins(names, folder=folder, within_s=within_s)
    given = [registered_or_left_out(source, within_s=within_s) for source in embedded(extra)]
    return gathered([*ours, *(one for one in theirs if one.plugin.name not in extra), *given])


def enabled_plugins(
    enabled: Iterable[str], *, folder: Path | None = None, within_s: float = LOADING_S
) -> list[Registered]:
    """Every plugin that can be found beside the built-in ones; those that are enabled are loaded, in the order of their names."""
    found, fault = _found(folder)
    names = [name for name in dict.fromkeys(enabled) if name not in BUILT_IN]
    loaded = [_loaded(name, found, fault, within_s) for name in names]
    others = [_not_asked_for(each[0].about) for name, each in found.items() if name not in names]
    return [*loaded, *others]


def _not_asked_for(plugin: Plugin) -> Registered:
    if plugin.name in BUILT_IN:
        return _failed(plugin, f"The plugin of {plugin.source} has the name of the built-in plugin {plugin.name!r}.")
    return Registered(plugin, {})


def _found(folder: Path | None) -> tuple[dict[str, list[Source]], str | None]:
    """All of them by name, and why some could not be looked for."""
    found: dict[str, list[Source]] = {}
    faults: list[str] = []
    try:
        for source in installed():
            found.setdefault(source.about.name, []).append(source)
    except Exception as error:  # noqa: BLE001 - what describes an installed package may be broken in any way
        faults.append(f"The installed packages cannot be looked through: {told(error)}")
    try:
        for source in _files(folder):
            found.setdefault(source.about.name, []).append(source)
    except PluginError as error:
        faults.append(error.message)
    except OSError as error:
        faults.append(f"The folder {folder} of plugins cannot be read: {error.strerror}.")
    return found, " ".join(faults) or None


def _files(folder: Path | None) -> Iterator[Source]:
    return iter(()) if folder is None else in_folder(folder)


def _loaded(name: str, found: Mapping[str, Sequence[Source]], fault: str | None, within_s: float) -> Registered:
    sources = found.get(name, ())
    if not sources:
        near = get_close_matches(name, [*found, *BUILT_IN], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        missing = f"It is enabled, but neither an installed package nor a file in `plugins_dir` has this name.{hint}"
        return _failed(Plugin(name=name, source="not found"), f"{missing}{f' {fault}' if fault else ''}")
    if len(sources) > 1:
        both = " and ".join(source.about.source for source in sources)
        return _failed(
            replace(sources[0].about, source=both), f"Two plugins have this name: {both}. Rename or remove one."
        )
    return registered_or_left_out(sources[0], within_s=within_s)


def _failed(plugin: Plugin, error: str) -> Registered:
    return Registered(replace(plugin, state=PluginState.FAILED), {}).left_out(error)
