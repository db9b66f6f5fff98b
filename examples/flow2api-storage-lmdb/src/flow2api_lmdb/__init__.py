"""A storage for flow2api in LMDB, an embedded store of sorted keys and values.

``FLOW2API_DATABASE_URL=lmdb:///data/lmdb`` names a folder below the working directory, ``lmdb:////var/lib/flow2api`` one
by its whole path.
"""

from collections.abc import Iterable
from pathlib import Path

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.hookspecs import Section, StorageFactory, hookimpl
from flow2api_lmdb.engine import GIB, Engine
from flow2api_lmdb.storage import LmdbStorage

NAME = "lmdb"
ROOM_GIB = 64


@hookimpl
def register_storages() -> Iterable[StorageFactory]:
    """LMDB, under the scheme ``lmdb``."""
    return [StorageFactory(name=NAME, schemes=("lmdb",), build=open_url)]


def open_url(url: str, section: Section, cipher: Cipher, clock: Clock) -> Storage:
    """The storage that a URL names; it connects when it is opened.

    Raises:
        ConfigurationError: The URL names no folder, or the section sets what is not known.
    """
    unknown = sorted(set(section) - {"room_gib"})
    if unknown:
        raise ConfigurationError(f"The storage {NAME!r} has one setting, `room_gib`, but {', '.join(unknown)} is set.")
    return LmdbStorage(Engine(_folder_of(url), cipher, clock, _room_gib(section) * GIB), cipher, clock)


def _folder_of(url: str) -> Path:
    scheme, separator, rest = url.partition(":///")
    if scheme != "lmdb" or not separator or not rest.strip("/"):
        raise ConfigurationError(
            f"The storage URL {url!r} names no folder; write lmdb:///relative/folder or lmdb:////absolute/folder."
        )
    return Path(rest)


def _room_gib(section: Section) -> int:
    text = str(section.get("room_gib", ROOM_GIB))
    if not text.isdecimal() or not 1 <= int(text) <= 4096:
        raise ConfigurationError(f"The setting `room_gib` of the storage {NAME!r} is 1 to 4096, not {text!r}.")
    return int(text)
