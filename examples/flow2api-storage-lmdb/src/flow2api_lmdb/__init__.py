"""A storage for flow2api in LMDB, an embedded store of sorted keys and values.

``FLOW2API_DATABASE_URL=lmdb:///data/lmdb`` names a folder below the working directory, ``lmdb:////var/lib/flow2api`` one
by its whole path.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.hookspecs import Section, SettingsSection, StorageFactory, hookimpl
from flow2api_lmdb.engine import GIB, Engine
from flow2api_lmdb.storage import LmdbStorage

NAME = "lmdb"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[lmdb]`` of the settings.

    Attributes:
        room_gib: How large the data may become; addresses are reserved for it, but neither memory nor disk.
    """

    room_gib: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """What the section looks like: with this, ``open_url`` gets it checked and with its defaults."""
    return [SettingsSection(NAME, Settings)]


@hookimpl
def register_storages() -> Iterable[StorageFactory]:
    """LMDB, under the scheme ``lmdb``."""
    return [StorageFactory(name=NAME, schemes=("lmdb",), build=open_url)]


def open_url(url: str, section: Section, cipher: Cipher, clock: Clock) -> Storage:
    """The storage that a URL names; it connects when it is opened.

    Raises:
        ConfigurationError: The URL names no folder.
    """
    room_bytes = section["room_gib"] * GIB
    return LmdbStorage(Engine(_folder_of(url), cipher, clock, room_bytes), cipher, clock)


def _folder_of(url: str) -> Path:
    scheme, separator, rest = url.partition(":///")
    if scheme != "lmdb" or not separator or not rest.strip("/"):
        raise ConfigurationError(
            f"The storage URL {url!r} names no folder; write lmdb:///relative/folder or lmdb:////absolute/folder."
        )
    return Path(rest)
