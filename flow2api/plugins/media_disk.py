"""Keeps media in a folder of the local disk: ``file:./data/media`` or ``file:///srv/media``."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flow2api.adapters.disk import DiskMediaStore
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.media import MediaStore
from flow2api.hookspecs import MediaStoreFactory, Section, hookimpl


@hookimpl
def register_media_stores() -> Iterable[MediaStoreFactory]:
    """The folder named by a ``file:`` URL."""
    return [MediaStoreFactory(name="disk", schemes=("file",), build=build)]


def build(url: str, section: Section) -> MediaStore:
    """The store for a ``file:`` URL; a path without a leading slash is relative to the working folder.

    Raises:
        ConfigurationError: The URL names no folder of this machine, or the section has settings: there are none.
    """
    if section:
        raise ConfigurationError(f"The media store 'disk' has no setting {min(section)!r}; remove it.")
    return DiskMediaStore(_folder(url))


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment or not path or "\0" in path:
        raise ConfigurationError(
            "The media URL must be file: with a path of this machine, such as file:./data/media or file:///srv/media."
        )
    return Path(path)
