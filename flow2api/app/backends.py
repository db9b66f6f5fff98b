"""What the settings choose by name among the things that plugins registered."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from flow2api.adapters.memory import FreshMedia
from flow2api.adapters.system import SystemClock
from flow2api.adapters.vault import AesGcmCipher, KeyRing, KeySource
from flow2api.app import deadlines
from flow2api.app.foreign import in_time, made
from flow2api.app.guarded_coordination import GuardedCoordination
from flow2api.domain.catalog import Entry, ModelCatalog, ModelSpec
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.errors import ConfigurationError, PluginError
from flow2api.domain.ports.coordination import Coordination
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import OffersModels, Upstream
from flow2api.extensions import Extensions, TookTooLongError
from flow2api.settings import Settings

_T = TypeVar("_T")

MOST_MODELS = 10_000
"""Of the settings of one upstream; what names more never ends."""

log = structlog.get_logger(__name__)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """The master key and what works under it."""

    ring: KeyRing
    cipher: Cipher


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """The technology that this installation runs on.

    Attributes:
        kinds: What the accounts of each upstream sign in with.
        model_sources: Where each name of the catalog comes from.
    """

    storage: Storage
    store: MediaStore
    coordination: Coordination
    upstreams: Mapping[str, Upstream]
    catalog: ModelCatalog
    kinds: CredentialKinds = SESSIONS
    model_sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """An entry of the catalog and where it comes from.

    Attributes:
        source: Name of the plugin; or of the setting, with ``by_settings``.
    """

    source: str
    entry: Entry
    by_settings: bool = False


def build_vault(settings: Settings) -> Vault:
    """The vault; no key is looked for before the storage is opened."""
    ring = KeyRing(
        KeySource(
            value=settings.secret_key if len(settings.secret_key) else None,
            file=Path(settings.secret_key_file) if settings.secret_key_file else None,
            default_file=settings.data_dir / "secret.key",
        )
    )
    return Vault(ring=ring, cipher=AesGcmCipher(ring))


def peek_options(settings: Settings, extensions: Extensions) -> Mapping[str, object] | None:
    """The stored options, as far as they are told without making a storage; None when it has to be made for them."""
    factory = _chosen(extensions.storages, settings.storage_url, "database_url", extensions.told_left_out)
    section = settings.sections.get(factory.name, {})
    return None if factory.peek is None else factory.peek(settings.storage_url, section)


def build_storage(settings: Settings, extensions: Extensions, cipher: Cipher, clock: Clock | None = None) -> Storage:
    """The storage that the database URL names; it is not opened yet."""
    factory = _chosen(extensions.storages, settings.storage_url, "database_url", extensions.told_left_out)
    section = settings.sections.get(factory.name, {})
    owner = extensions.foreign_owner(factory)
    url, clock = settings.storage_url, clock or SystemClock()
    with _blaming(owner, "database_url"):
        storage = made(owner, Storage, lambda: factory.build(url, section, cipher, clock))
        return _in_time(storage, owner, deadlines.STORAGE)


def build_backends(settings: Settings, extensions: Extensions, vault: Vault, clock: Clock) -> Backends:
    """Everything that the settings choose.

    Raises:
        ConfigurationError: A setting names what no plugin offers.
    """
    told = extensions.told_left_out
    media_factory = _chosen(extensions.media_stores, settings.store_url, "media_url", told)
    coordination_factory = _chosen(extensions.coordinations, settings.coordination_url, "coordination_url", told)
    upstreams = build_upstreams(settings, extensions, clock)
    sections = settings.sections
    with _blaming(owner := extensions.foreign_owner(media_factory), "media_url"):
        section = sections.get(media_factory.name, {})
        store = made(owner, MediaStore, lambda: media_factory.build(settings.store_url, section))
        store = _in_time(store, owner, deadlines.MEDIA_STORE)
    with _blaming(owner := extensions.foreign_owner(coordination_factory), "coordination_url"):
        of_coordination = sections.get(coordination_factory.name, {})
        coordination = made(
            owner, Coordination, lambda: coordination_factory.build(settings.coordination_url, of_coordination)
        )
        if owner is not None:
            coordination = _in_time(coordination, owner, deadlines.COORDINATION)
            coordination = GuardedCoordination(coordination, clock.monotonic)
    offered = offered_models(extensions, upstreams)
    return Backends(
        storage=build_storage(settings, extensions, vault.cipher, clock),
        store=FreshMedia(store),
        coordination=coordination,
        upstreams=upstreams,
        catalog=build_catalog(extensions, upstreams, offered),
        kinds=credential_kinds(settings, extensions),
        model_sources={one.entry.name: one.source for one in offered},
    )


def credential_kinds(settings: Settings, extensions: Extensions) -> CredentialKinds:
    """What the accounts of each upstream sign in with, and where base URLs may lead."""
    by_upstream = {name: factory.credential for name, factory in extensions.upstreams.items()}
    return CredentialKinds(by_upstream, frozenset(settings.plain_http_hosts))


def build_upstreams(settings: Settings, extensions: Extensions, clock: Clock) -> dict[str, Upstream]:
    """Every upstream. One of a plugin of others that cannot be made is left out, and told in the log."""
    upstreams: dict[str, Upstream] = {}
    for name, factory in extensions.upstreams.items():
        owner = extensions.foreign_owner(factory)
        try:
            build = partial(factory.build, settings.sections.get(name, {}), clock)
            upstreams[name] = _in_time(made(owner, Upstream, build), owner, deadlines.UPSTREAM)
        except Exception:
            if owner is None:
                raise
            log.exception("upstream left out", upstream=name, plugin=owner)
    return upstreams


def build_catalog(
    extensions: Extensions, upstreams: Mapping[str, Upstream], offered: Sequence[OfferedModel] | None = None
) -> ModelCatalog:
    """The catalog of what the upstreams serve as they are configured.

    Args:
        offered: What `offered_models` has told; None to ask it.

    Raises:
        PluginError: A name is registered by two plugins, or by one and by the settings of an upstream; both are named.
    """
    offered = offered_models(extensions, upstreams) if offered is None else offered
    sources: dict[str, str] = {}
    for one in offered:
        other = sources.setdefault(one.entry.name, one.source)
        if other != one.source:
            raise PluginError(f"{_both(other, one)} both register the model {one.entry.name!r}.")

    foreign = {name for name, factory in extensions.upstreams.items() if extensions.foreign_owner(factory) is not None}
    silent: set[str] = set()

    def serves(spec: ModelSpec) -> bool:
        upstream = upstreams.get(spec.upstream)
        if upstream is None or spec.upstream in silent:
            return False
        if spec.upstream not in foreign:
            return upstream.serves(spec)
        try:
            return in_time(lambda: upstream.serves(spec))
        except TookTooLongError:
            silent.add(spec.upstream)
            log.exception("models left out", upstream=spec.upstream)
        except (Exception, SystemExit):
            log.exception("model left out", model=spec.name, upstream=spec.upstream)
        return False

    return ModelCatalog((one.entry for one in offered), serves)


def offered_models(extensions: Extensions, upstreams: Mapping[str, Upstream]) -> tuple[OfferedModel, ...]:
    """Every entry that plugins or the settings of upstreams offer, in the order in which they count.

    What an upstream of a plugin of others offers that cannot be told, or cannot stand beside the rest, is left out, and told
    in the log.
    """
    offered = [OfferedModel(plugin, entry) for plugin, entry in extensions.models]
    for name, upstream in upstreams.items():
        if isinstance(upstream, OffersModels):
            factory = extensions.upstreams.get(name)
            owner = None if factory is None else extensions.foreign_owner(factory)
            offered += _offered_by(name, upstream, owner, offered)
    return tuple(offered)


def _offered_by(
    name: str, upstream: OffersModels, owner: str | None, others: Sequence[OfferedModel]
) -> Sequence[OfferedModel]:
    def ask() -> list[OfferedModel]:
        entries = islice(upstream.models(), MOST_MODELS)
        return [OfferedModel(f"{name}.models", entry, by_settings=True) for entry in entries]

    if owner is None:
        return ask()
    try:
        offered = in_time(ask)
        ModelCatalog([one.entry for one in (*others, *offered)])  # raises when it cannot be made with them
    except (Exception, SystemExit):
        log.exception("models left out", upstream=name, plugin=owner)
        return ()
    return offered


def _both(plugin: str, other: OfferedModel) -> str:
    if other.by_settings:
        return f"The plugin {plugin!r} and the setting `{other.source}`"
    return f"The plugins {plugin!r} and {other.source!r}"


@contextmanager
def _blaming(plugin: str | None, setting: str) -> Iterator[None]:
    """Names the plugin of others, and the setting that has chosen it, when it fails without a word of its own."""
    try:
        yield
    except PluginError as error:
        if plugin is None:
            raise
        raise PluginError(f"The plugin {plugin!r}, which the setting {setting} asks for: {error.message}") from error


def _in_time(thing: _T, plugin: str | None, limits: deadlines.Deadlines) -> _T:
    """What a plugin of others has made, held to time; our own look after themselves."""
    return thing if plugin is None else deadlines.with_deadlines(thing, plugin, limits)


def _chosen(offered: Mapping[str, _T], url: str, setting: str, left_out: str) -> _T:
    scheme = url.partition(":")[0]
    if scheme in offered:
        return offered[scheme]
    near = get_close_matches(scheme, list(offered), n=1)
    hint = f" Did you mean {near[0]}:?" if near else f" Known are {', '.join(f'{one}:' for one in sorted(offered))}"
    told = f".{left_out}" if left_out else ""
    raise ConfigurationError(f"No plugin serves the scheme {scheme}: of the setting {setting}.{hint}{told}")
