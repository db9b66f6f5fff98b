"""What commands need before they can do anything: settings, plugins, an opened storage."""

import os
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow2api.app.backends import Vault, build_storage, build_vault
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.storage import Storage
from flow2api.extensions import Extensions, load_extensions
from flow2api.settings import PREFIX, Settings, load_settings

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
