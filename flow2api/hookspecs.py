"""The whole plugin surface on one page.

Hooks register, ports run: each hook is synchronous, called once at start-up, and returns values; everything at run time
happens through the objects it returned. A plugin is a module, class or object with functions of these names, marked with
:data:`hookimpl`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
import pluggy

from flow2api.domain.account import CredentialKind
from flow2api.domain.catalog import Alias, BaseName, ModelCatalog, ModelSpec
from flow2api.domain.options import Options
from flow2api.domain.panels import PanelPlace
from flow2api.domain.ports.coordination import Coordination
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.observers import Observer
from flow2api.domain.ports.panels import Panel
from flow2api.domain.ports.responses import ResponseShaper
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.proxy import ProxySelector
from flow2api.domain.selection import SelectionPolicy
from flow2api.domain.usecases.diagnose import Finding

PROJECT = "flow2api"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of the same name."""

Section = Mapping[str, Any]
"""The plugin's own part of the settings, by name: checked, with its defaults, when it has registered what it looks like."""


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
        peek: Tells the options that are stored under the URL, as `PeeksOptions` does, without a storage: every command reads
            them at its start, and to make a storage may take long. None when it cannot.
    """

    name: str
    schemes: tuple[str, ...]
    build: Callable[[str, Section, Cipher, Clock], Storage]
    peek: Callable[[str, Section], Mapping[str, object]] | None = None


@dataclass(frozen=True, slots=True)
class MediaStoreFactory:
    """A media store and the URL schemes that select it.

    Attributes:
        build: Makes it from the URL and the plugin's section; connects to nothing.
    """

    name: str
    schemes: tuple[str, ...]
    build: Callable[[str, Section], MediaStore]


@dataclass(frozen=True, slots=True)
class CoordinationFactory:
    """What processes agree by, and the URL schemes that select it.

    Attributes:
        build: Makes it from the URL and the plugin's section; connects to nothing.
    """

    name: str
    schemes: tuple[str, ...]
    build: Callable[[str, Section], Coordination]


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


@dataclass(frozen=True, slots=True)
class ConsolePanel:
    """A panel of the operator console, under the name by which the log calls it.

    Attributes:
        title: What stands above it.
        place: The page on which it stands.
        build: Makes it from the section of the settings that has the panel's name; connects to nothing.
    """

    name: str
    title: str
    place: PanelPlace
    build: Callable[[Section], Panel]


@dataclass(frozen=True, slots=True)
class ResponseProfile:
    """A way to write answers for a kind of client, under the name by which operators choose it.

    Attributes:
        build: Makes the object that writes.
        summary: One sentence for the operator who chooses.
    """

    name: str
    build: Callable[[], ResponseShaper]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class SettingsSection:
    """What a section of the settings looks like, so that it is checked at the start.

    Attributes:
        name: Of the section: ``mine`` is ``[mine]`` in the file and ``FLOW2API_MINE__…`` in the environment.
        schema: A struct whose fields are the settings. The texts of the environment are read as the types that it names;
            for a list they are JSON or have commas between the items, for a table they are JSON. A field of the type
            `flow2api.domain.secret.Secret` is never shown.
    """

    name: str
    schema: type[msgspec.Struct]


class NoSettings(msgspec.Struct, frozen=True):
    """The schema of a section in which nothing may stand, so that whatever is set there is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The installation that the doctor looks at.

    Attributes:
        section: What the settings say under the name that the check gives as its ``section``.
        media_url: Where media are kept.
        secret_key_file: The file of the master key that is set; None for the one in the data folder.
        has_secret_key: Whether the settings hold the master key itself.
        host: The address that the server listens on.
        public_url: The address by which clients reach the server; empty when it follows each request.
        has_plain_http: Whether the console takes passphrases over plain http from other machines.
        plain_http_hosts: Hosts that base URLs of accounts may lead to over plain http.
        backends: Raises a `ConfigurationError` when they cannot be made. Only a check that needs "database" finds the storage
            open.
        options: Reads the options; only a check that needs "database" can do so.
    """

    section: Section
    data_dir: Path
    media_url: str
    secret_key_file: Path | None
    has_secret_key: bool
    host: str
    public_url: str
    clock: Clock
    backends: Callable[[], "ExaminedBackends"]
    options: Callable[[], Awaitable["ExaminedOptions"]]
    has_plain_http: bool = False
    plain_http_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedBackends:
    """The technology that the doctor looks at."""

    storage: Storage
    store: MediaStore
    coordination: Coordination
    catalog: ModelCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedOptions:
    """The options as they are stored, under those that the settings fix.

    Attributes:
        ignored: Stored options that cannot be used, with the reason of each.
    """

    options: Options
    ignored: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """One thing that ``flow2api doctor`` looks at.

    Attributes:
        look: Says what it found, within a minute; None when there is nothing to say. It changes nothing.
        needs: The check without whose success this one has nothing to look at, such as ``database``.
        section: The section of the settings that it wants to see.
        is_online: It calls somebody outside, so it runs only when the operator asks for that.
    """

    name: str
    look: Callable[[Examined], Awaitable[Finding | None]]
    needs: str | None = None
    section: str = ""
    is_online: bool = False


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
    """Ways for processes to agree on slots and limits, and to wake each other. Since 0.1."""


@hookspec
def register_upstreams() -> Iterable[UpstreamFactory]:
    """Remote generation services. Since 0.1."""


@hookspec
def register_proxy_selectors() -> Iterable[NamedProxySelector]:
    """Ways to choose the proxy of a pool that an account gets. Since 0.1."""


@hookspec
def register_observers() -> Iterable[ObserverFactory]:
    """Objects that hear what happens: ends of generations, accounts that need care, what is down. Since 0.1."""


@hookspec
def register_response_profiles() -> Iterable[ResponseProfile]:
    """Ways to write answers, for clients that show them differently. Since 0.1."""


@hookspec
def register_doctor_checks() -> Iterable[DoctorCheck]:
    """What ``flow2api doctor`` looks at. Since 0.1."""


@hookspec
def register_console_panels() -> Iterable[ConsolePanel]:
    """Panels on pages of the operator console, which draws the plain data that they give. Since 0.1."""


@hookspec
def register_cli_commands() -> Iterable[click.Command]:
    """Commands and groups of commands of the program ``flow2api``. Since 0.1. The context's ``obj`` is the section of the
    settings that has the plugin's name.
    """


@hookspec
def register_settings() -> Iterable[SettingsSection]:
    """What the plugin's sections of the settings look like. Since 0.1. A section that does not fit keeps the plugin out."""
