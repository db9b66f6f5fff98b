"""Loads plugins, calls each hook once, and collects what came of it."""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar

import pluggy

from flow2api import hookspecs
from flow2api.domain.catalog import Entry
from flow2api.domain.errors import PluginError
from flow2api.hookspecs import (
    PROJECT,
    CoordinationFactory,
    MediaStoreFactory,
    NamedPolicy,
    NamedProxySelector,
    ObserverFactory,
    StorageFactory,
    UpstreamFactory,
)

BUILT_IN = (
    "models_flow",
    "models_gemini",
    "models_openai",
    "policies",
    "proxy_selectors",
    "storage_sql",
    "media_disk",
    "coordination_memory",
    "upstream_flow",
    "upstream_gemini",
    "upstream_openai",
    "observer_log",
)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Schemed(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def schemes(self) -> tuple[str, ...]: ...


N = TypeVar("N", bound=_Named)
S = TypeVar("S", bound=_Schemed)


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin and the hooks that it implements."""

    name: str
    hooks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What all plugins have registered, frozen.

    Attributes:
        models: Entries of the catalog, with the plugin that each came from.
        storages: By URL scheme, as are media stores and coordinations.
    """

    plugins: tuple[LoadedPlugin, ...]
    models: tuple[tuple[str, Entry], ...]
    policies: Mapping[str, NamedPolicy]
    storages: Mapping[str, StorageFactory]
    media_stores: Mapping[str, MediaStoreFactory]
    coordinations: Mapping[str, CoordinationFactory]
    upstreams: Mapping[str, UpstreamFactory]
    observers: Mapping[str, ObserverFactory]
    proxy_selectors: Mapping[str, NamedProxySelector]

    @property
    def sections(self) -> frozenset[str]:
        """Names under which plugins have settings of their own."""
        factories = (self.storages, self.media_stores, self.coordinations)
        return frozenset({*self.upstreams, *self.observers, *(one.name for each in factories for one in each.values())})


def load_extensions(enabled: Sequence[str] = (), extra: Mapping[str, Any] | None = None) -> Extensions:
    """Load the built-in plugins, the installed ones, and ``extra``, and ask them for what they have.

    Args:
        enabled: Names of installed plugins to load; none named loads all.
        extra: Further plugins by name (tests, embedding programs).

    Raises:
        PluginError: One cannot be loaded, implements an unknown hook, or wants a name that is taken.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    for name in BUILT_IN:
        manager.register(importlib.import_module(f"flow2api.plugins.{name}"), name=name)
    for name, plugin in _installed(enabled):
        manager.register(plugin, name=name)
    for name, plugin in (extra or {}).items():
        manager.register(plugin, name=name)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(
            f"The plugin {manager.get_name(error.plugin)!r} implements a hook that does not exist: {error}."
        ) from error
    return _collect(manager)


def _installed(enabled: Sequence[str]) -> Iterable[tuple[str, Any]]:
    found = {point.name: point for point in entry_points(group=PROJECT)}
    missing = [name for name in enabled if name not in found and name not in BUILT_IN]
    if missing:
        raise PluginError(f"The setting `plugins` names {missing[0]!r}, which is not installed.")
    for name, point in found.items():
        if enabled and name not in enabled:
            continue
        try:
            yield name, point.load()
        except Exception as error:
            raise PluginError(f"The plugin {name!r} ({point.value}) cannot be loaded: {error}.") from error


def _collect(manager: pluggy.PluginManager) -> Extensions:
    asked = _Asked(manager)
    return Extensions(
        plugins=asked.plugins(),
        models=tuple(asked("register_models")),
        policies=_by_name(asked("register_selection_policies")),
        storages=_by_scheme(asked("register_storages")),
        media_stores=_by_scheme(asked("register_media_stores")),
        coordinations=_by_scheme(asked("register_coordinations")),
        upstreams=_by_name(asked("register_upstreams")),
        observers=_by_name(asked("register_observers")),
        proxy_selectors=_by_name(asked("register_proxy_selectors")),
    )


@dataclass(slots=True)
class _Asked:
    """Asks each plugin alone, so that an error is known by the plugin that raised it."""

    manager: pluggy.PluginManager
    hooks: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, hook: str) -> list[tuple[str, Any]]:
        answers: list[tuple[str, Any]] = []
        for name, plugin in self.manager.list_name_plugin():
            if plugin is None or not self._implements(plugin, hook):
                continue
            others = [one for one in self.manager.get_plugins() if one is not plugin]
            try:
                for answer in self.manager.subset_hook_caller(hook, others)():
                    answers.extend((name, item) for item in answer)
            except PluginError:
                raise
            except Exception as error:
                raise PluginError(f"The plugin {name!r} failed in {hook}: {error!r}.") from error
            self.hooks.setdefault(name, []).append(hook)
        return answers

    def _implements(self, plugin: Any, hook: str) -> bool:
        callers = self.manager.get_hookcallers(plugin) or []
        return any(caller.name == hook for caller in callers)

    def plugins(self) -> tuple[LoadedPlugin, ...]:
        found = []
        for name, plugin in self.manager.list_name_plugin():
            callers = self.manager.get_hookcallers(plugin) or []
            found.append(LoadedPlugin(name, tuple(sorted(caller.name for caller in callers))))
        return tuple(found)


def _by_name(answers: Iterable[tuple[str, N]]) -> dict[str, N]:
    return _unique(answers, lambda one: (one.name,))


def _by_scheme(answers: Iterable[tuple[str, S]]) -> dict[str, S]:
    return _unique(answers, lambda one: one.schemes)


T = TypeVar("T")


def _unique(answers: Iterable[tuple[str, T]], keys: Callable[[T], Iterable[str]]) -> dict[str, T]:
    found: dict[str, T] = {}
    owners: dict[str, str] = {}
    for plugin, item in answers:
        for key in keys(item):
            if key in found:
                raise PluginError(
                    f"The plugins {owners[key]!r} and {plugin!r} both register {key!r}; disable one of them."
                )
            found[key], owners[key] = item, plugin
    return found
