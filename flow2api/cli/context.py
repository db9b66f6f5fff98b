"""What commands need before they can do anything: settings, plugins, an opened storage, the whole program."""

import functools
import os
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from flow2api.adapters.system.logs import configure_logs
from flow2api.app.backends import Vault, build_storage, build_vault
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.storage import Storage
from flow2api.extensions import Extensions, load_extensions
from flow2api.settings import PREFIX, Settings, load_settings

if TYPE_CHECKING:
    from flow2api.app import Services

P = ParamSpec("P")

DEFAULT_FILE = Path("flow2api.toml")


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings and the plugins of this installation."""

    settings: Settings
    extensions: Extensions


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
    extensions = load_extensions(_enabled(environment, text))
    return Installation(load_settings(environment, text, overrides, sections=extensions.sections), extensions)


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
        command(here, *args, **kwargs)

    return run


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


@asynccontextmanager
async def opened_services(here: Installation) -> AsyncIterator["Services"]:
    """The whole program over the opened storage, with nothing running behind, no account in its pool, and no door."""
    from flow2api.app import build_services  # noqa: PLC0415 - most commands need a part of it only

    services = build_services(here.settings, here.extensions)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(services.workers.aclose)
        stack.push_async_callback(services.store.aclose)
        for upstream in services.upstreams.values():
            stack.push_async_callback(upstream.aclose)
        stack.push_async_callback(services.storage.aclose)
        await services.storage.open()
        await services.options.reload()
        yield services


def _enabled(environment: Mapping[str, str], text: str) -> tuple[str, ...]:
    """Which plugins are enabled has to be known before they, and so their settings, are."""
    bare = {name: value for name, value in environment.items() if name == f"{PREFIX}PLUGINS"}
    if bare:
        return load_settings(bare).plugins
    try:
        named = tomllib.loads(text).get("plugins", ())
    except ValueError:
        return ()
    return tuple(named) if isinstance(named, list) else ()


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
