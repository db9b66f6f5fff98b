"""The whole plugin surface on one page.

Hooks register, ports run: each hook is synchronous, called once at start-up, and returns values; everything at run time
happens through the objects it returned. A plugin is a module, class or object with functions of these names, marked with
:data:`hookimpl`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pluggy

from flow2api.domain.account import CredentialKind
from flow2api.domain.catalog import Alias, BaseName, ModelSpec
from flow2api.domain.ports.coordination import Slots
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.observers import Observer
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.proxy import ProxySelector
from flow2api.domain.selection import SelectionPolicy

PROJECT = "flow2api"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of the same name."""

Section = Mapping[str, Any]
"""The plugin's own part of the settings, by name."""


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A selection policy under the name by which operators choose it.

    Attributes:
        build: Makes a fresh one; a policy may keep state, such as a cursor.
        summary: One sentence for the operator who chooses.
    """

    name: str
    build: Callable[[], SelectionPolicy]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class StorageFactory:
    """A storage and the URL schemes that select it.

    Attributes:
        build: Makes it from the URL, the plugin's section, the cipher for secrets, and the clock; connects to nothing.
    """

    name: str
    schemes: tuple[str, ...]
    build: Callable[[str, Section, Cipher, Clock], Storage]


@dataclass(frozen=True, slots=True)
class MediaStoreFactory:
    """A media store and the URL schemes that select it."""

    name: str
    schemes: tuple[str, ...]
    build: Callable[[str, Section], MediaStore]


@dataclass(frozen=True, slots=True)
class CoordinationFactory:
    """What counts slots, and the URL schemes that select it."""

    name: str
    schemes: tuple[str, ...]
    build: Callable[[str, Section], Slots]


@dataclass(frozen=True, slots=True)
class UpstreamFactory:
    """An upstream under the name by which models and accounts refer to it.

    Attributes:
        credential: What its accounts sign in with.
    """

    name: str
    build: Callable[[Section, Clock], Upstream]
    credential: CredentialKind = CredentialKind.SESSION


@dataclass(frozen=True, slots=True)
class NamedProxySelector:
    """A way to choose the proxy of a pool, under the name by which operators choose it.

    Attributes:
        build: Makes a fresh one; it may keep state.
        summary: One sentence for the operator who chooses.
    """

    name: str
    build: Callable[[], ProxySelector]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class ObserverFactory:
    """What hears of everything that happens, under the name by which the log calls it.

    Attributes:
        build: Makes it from the plugin's section of the settings.
    """

    name: str
    build: Callable[[Section], Observer]


@hookspec
def register_models() -> Iterable[ModelSpec | BaseName | Alias]:
    """Models, the base names that stand for lines of them, and other names for both. Since 0.1."""


@hookspec
def register_selection_policies() -> Iterable[NamedPolicy]:
    """Ways to choose one account among those that could serve. Since 0.1."""


@hookspec
def register_storages() -> Iterable[StorageFactory]:
    """Databases: each hands out the whole set of repositories. Since 0.1."""


@hookspec
def register_media_stores() -> Iterable[MediaStoreFactory]:
    """Places where the bytes of pictures and videos are kept. Since 0.1. A store that also fits `KnowsAges` is
    swept of bytes that no media has, and one that fits `TellsRoom` is asked whether there is room before anything is paid
    for; both are in `flow2api.domain.ports.media`.
    """


@hookspec
def register_coordinations() -> Iterable[CoordinationFactory]:
    """Ways for processes to agree on slots. Since 0.1."""


@hookspec
def register_upstreams() -> Iterable[UpstreamFactory]:
    """Remote generation services. Since 0.1."""


@hookspec
def register_proxy_selectors() -> Iterable[NamedProxySelector]:
    """Ways to choose the proxy of a pool that an account gets. Since 0.2."""


@hookspec
def register_observers() -> Iterable[ObserverFactory]:
    """Objects that hear what happens: ends of generations, accounts that need care, what is down. Since 0.2."""
