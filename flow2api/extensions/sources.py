"""Where plugins come from: the program, installed packages, single files, and programs that embed this one."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from flow2api.domain.errors import PluginError
from flow2api.extensions.plugin import BUILT_IN_SOURCE, EMBEDDING_SOURCE, Plugin, PluginState
from flow2api.extensions.single_files import PluginFile, plugin_files
from flow2api.extensions.versions import requirement_on
from flow2api.hookspecs import PROJECT

BUILT_IN = (
    "models_flow",
    "models_gemini",
    "models_openai",
    "policies",
    "proxy_selectors",
    "storage_sql",
    "media_disk",
    "coordination_memory",
    "doctor_checks",
    "upstream_flow",
    "upstream_gemini",
    "upstream_openai",
    "observer_log",
    "panel_proxies",
    "response_profiles",
    "simulate_command",
)


@dataclass(frozen=True, slots=True)
class Source:
    """A plugin that has not been loaded.

    Attributes:
        about: What is known of it before.
        load: Gives the module, class or object; nothing of the plugin has run before.
        wants: The versions of the program that its package requires.
    """

    about: Plugin
    load: Callable[[], Any]
    wants: str = ""


def built_in() -> Iterator[Source]:
    """The plugins of the program, in their order."""
    for name in BUILT_IN:
        module = f"flow2api.plugins.{name}"
        about = Plugin(name=name, source=BUILT_IN_SOURCE, state=PluginState.NOT_ENABLED, module=module)
        yield Source(about, _importing(module))


def _importing(module: str) -> Callable[[], ModuleType]:
    return lambda: importlib.import_module(module)


def installed() -> Iterator[Source]:
    """The plugins of installed packages."""
    for point in entry_points(group=PROJECT):
        yield _of_entry_point(point)


def _of_entry_point(point: EntryPoint) -> Source:
    is_usable = point.pattern.match(point.value) is not None
    package, version, requires = _described(point)
    about = Plugin(
        name=point.name,
        source=f"package {package} ({point.value})" if package else f"package ({point.value})",
        version=version,
        state=PluginState.NOT_ENABLED,
        module=point.module if is_usable else None,
    )
    return Source(about, point.load if is_usable else _refusing(point.value), requirement_on(PROJECT, requires))


def _described(point: EntryPoint) -> tuple[str | None, str | None, list[str]]:
    """Name, version and requirements of the package; what describes it may be lost."""
    package = point.dist
    metadata: Any = None if package is None else package.metadata
    if package is None or not metadata or not metadata["Name"]:
        return None, None, []
    return str(metadata["Name"]), metadata["Version"], list(package.requires or [])


def _refusing(value: str) -> Callable[[], Any]:
    def refuse() -> Any:
        raise PluginError(
            f"Its entry point {value!r} names no module and no object of one, as in package.module:plugin."
        )

    return refuse


def in_folder(folder: Path) -> Iterator[Source]:
    """The plugins that are single files.

    Raises:
        PluginError: The folder cannot be used.
    """
    for file in plugin_files(folder):
        sha256 = file.sha256()
        about = Plugin(
            name=file.name,
            source=f"file {file.path}",
            state=PluginState.NOT_ENABLED,
            sha256=sha256,
            module=file.module,
        )
        yield Source(about, _loading(file, sha256))


def _loading(file: PluginFile, sha256: str | None) -> Callable[[], ModuleType]:
    return lambda: file.load(sha256)


def embedded(plugins: Mapping[str, Any]) -> Iterator[Source]:
    """The plugins that a program hands over itself."""
    for name, plugin in plugins.items():
        module = getattr(plugin, "__name__" if isinstance(plugin, ModuleType) else "__module__", None)
        about = Plugin(name=name, source=EMBEDDING_SOURCE, state=PluginState.NOT_ENABLED, module=module)
        yield Source(about, _giving(plugin))


def _giving(plugin: Any) -> Callable[[], Any]:
    return lambda: plugin
