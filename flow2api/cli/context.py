"""What commands need before they can do anything: settings, plugins, an opened storage, the whole program."""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click
import structlog

from flow2api.adapters.system.logs import configure_logs
from flow2api.adapters.system.process import building_up
from flow2api.app.backends import Vault, build_storage, build_vault, peek_options
from flow2api.domain.errors import ConfigurationError, Flow2ApiError
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import PeeksOptions, Storage
from flow2api.extensions import LOADING_S, Extensions, enabled_plugins, load_extensions, with_saved, within
from flow2api.settings import PREFIX, SAVED, Settings, load_settings, parse_options, read_plugin_choice

if TYPE_CHECKING:
    from flow2api.app import Services

P = ParamSpec("P")

log = structlog.get_logger(__name__)

DEFAULT_FILE = Path("flow2api.toml")


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings and the plugins of this installation.

    Attributes:
        without_saved: Makes the same without what was saved for plugins' settings; None where nothing is looked up.
    """

    settings: Settings
    extensions: Extensions
    without_saved: Callable[[], "Installation"] | None = None


@building_up()
def installation(
    overrides: Mapping[str, Any] | None = None,
    *,
    config: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Installation:
    """Read the settings and load the plugins.

    Args:
        overrides: What the command line said.
        config: The settings file; without one ``flow2api.toml`` is read if it is there.
        environment: Variables to read in place of the process's own.

    Raises:
        ConfigurationError: A setting or a plugin cannot be used.
    """
    environment = os.environ if environment is None else environment
    text = _read(config or environment.get(f"{PREFIX}CONFIG"))
    choice = read_plugin_choice(environment, text, overrides)
    extensions = load_extensions((*choice.enabled, *(choice.by_option or ())), folder=choice.folder)

    def with_settings(
        extensions: Extensions, *, more_sections: bool, saved: Mapping[str, str] | None = None
    ) -> Installation:
        settings = load_settings(
            environment, text, overrides, sections=extensions.sections, more_sections=more_sections
        )
        given, taken = with_saved(extensions, settings.sections, saved or {})
        checked, sections = extensions.checked(given)
        origins = {**settings.origins, **dict.fromkeys(taken, SAVED)}
        return Installation(replace(settings, sections=sections, origins=origins), checked)

    saved = choice.saved
    if choice.by_option is None or saved is None:
        stored = stored_choice(with_settings(extensions, more_sections=True))
        saved = stored.plugin_settings if saved is None else saved
        wanted = stored.plugins if choice.by_option is None else ()
        names = [name for name in wanted if name not in choice.enabled]
        if names:
            loaded = enabled_plugins(names, folder=choice.folder)
            extensions = extensions.extended(one for one in loaded if one.plugin.name in names)

    def put_together(saved: Mapping[str, str]) -> Installation:
        return with_settings(extensions, more_sections=bool(extensions.left_out), saved=saved)

    return replace(put_together(saved), without_saved=lambda: put_together({}))


def stored_choice(here: Installation) -> Options:
    """The stored options that have to be known before the program is put together: which plugins, and their settings.

    They have their defaults when the storage cannot be read, which is told by whoever opens it.
    """
    try:
        stored = _stored_options(here)
    except (Exception, SystemExit):  # noqa: BLE001 - the storage may be a plugin's, and must not be what ends the program
        return Options()
    return Options(
        plugins=_usable(stored, "plugins").plugins, plugin_settings=_usable(stored, "plugin_settings").plugin_settings
    )


def _usable(stored: Mapping[str, object], name: str) -> Options:
    try:
        return parse_options({name: stored[name]} if name in stored else {})
    except ConfigurationError:
        return Options()


def _stored_options(here: Installation) -> Mapping[str, object]:
    told = within(LOADING_S, lambda: peek_options(here.settings, here.extensions))
    if told is not None:
        return told
    storage = build_storage(here.settings, here.extensions, build_vault(here.settings).cipher)
    return (
        within(LOADING_S, storage.peek_options) if isinstance(storage, PeeksOptions) else _read_options(here, storage)
    )


def _read_options(here: Installation, storage: Storage) -> Mapping[str, object]:
    configure_quiet_logs(here.settings)  # a secret key may be made now, which is told in the log

    async def read() -> Mapping[str, object]:
        await storage.open()
        try:
            return await storage.options.read()
        finally:
            await storage.aclose()

    # A thread of its own, for there may be an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(read())).result()


config_option = click.option(
    "--config", type=click.Path(dir_okay=False), help="The settings file.  [default: flow2api.toml]"
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def with_installation(command: Callable[Concatenate[Installation, P], None]) -> Callable[..., None]:
    """Give a command the option ``--config``, and the installation as its first argument."""

    @config_option
    @functools.wraps(command)
    def run(*args: Any, config: str | None, **kwargs: Any) -> None:
        os.umask(0o077)
        here = installation(config=config)
        configure_quiet_logs(here.settings)
        tell_left_out(here.extensions)
        command(here, *args, **kwargs)

    return run


def tell_left_out(extensions: Extensions) -> None:
    """Name every plugin in the log that was to be loaded and could not be."""
    for plugin in extensions.left_out:
        log.error("plugin left out", plugin=plugin.name, source=plugin.source, reason=plugin.error)


def configure_quiet_logs(settings: Settings) -> None:
    """Send logs to standard error, without the small talk that only a server has a use for."""
    level = "warning" if settings.log_level == "info" else settings.log_level
    configure_logs(level, settings.log_format)


@asynccontextmanager
async def opened_storage(here: Installation) -> AsyncIterator[tuple[Storage, Vault]]:
    """The storage of this installation, opened; it may be in use by a running server."""
    vault = build_vault(here.settings)
    storage = build_storage(here.settings, here.extensions, vault.cipher)
    await storage.open()
    try:
        yield storage, vault
    finally:
        await storage.aclose()


def built(here: Installation) -> "Services":
    """The program; without what was saved for plugins' settings where it cannot be put together with it.

    What was typed into a form is not to keep the server from its start: nobody could take it back there.

    Raises:
        Flow2ApiError: It cannot be put together without it, either.
    """
    from flow2api.app import build_services  # noqa: PLC0415 - most commands need a part of it only

    try:
        return build_services(here.settings, here.extensions)
    except Flow2ApiError as error:
        saved = sorted(name for name, origin in here.settings.origins.items() if origin == SAVED)
        if not saved or here.without_saved is None:
            raise
        plain = here.without_saved()
        services = build_services(plain.settings, plain.extensions)
        log.error(  # noqa: TRY400 - what the plugin said is enough
            "settings saved for plugins are passed over: the server cannot start with them",
            settings=saved,
            reason=str(error),
            remedy="change them in the console, or `flow2api options reset plugin_settings`",
        )
        return services


@asynccontextmanager
async def opened_services(here: Installation) -> AsyncIterator["Services"]:
    """The whole program over the opened storage, with nothing running behind, no account in its pool, and no door."""
    services = built(here)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(services.workers.aclose)
        stack.push_async_callback(services.store.aclose)
        stack.push_async_callback(services.coordination.aclose)
        for upstream in services.upstreams.values():
            stack.push_async_callback(upstream.aclose)
        stack.push_async_callback(services.storage.aclose)
        await services.storage.open()
        await services.options.reload()
        yield services


def _read(file: str | None) -> str:
    path = Path(file) if file else DEFAULT_FILE
    if not file and not path.is_file():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The settings file {path} cannot be read: it is no UTF-8 text.") from error
