"""Storage in an SQL database. Today SQLite: ``sqlite:///relative.db``, ``sqlite:////absolute/path.db``."""

from collections.abc import Iterable, Mapping

from flow2api.adapters.persistence.sqlite_file import path_of, peek_options
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.hookspecs import NoSettings, Section, SettingsSection, StorageFactory, hookimpl

NAME = "sql"


@hookimpl
def register_storages() -> Iterable[StorageFactory]:
    """SQLite, under the scheme ``sqlite``."""
    return [StorageFactory(name=NAME, schemes=("sqlite",), build=_build, peek=_peek)]


def _build(url: str, section: Section, cipher: Cipher, clock: Clock) -> Storage:
    from flow2api.adapters.persistence import open_url  # noqa: PLC0415 - SQLAlchemy is a third of a command's start

    return open_url(url, cipher, clock)


def _peek(url: str, section: Section) -> Mapping[str, object]:
    return peek_options(path_of(url))


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """Its section is empty."""
    return [SettingsSection(NAME, NoSettings)]
