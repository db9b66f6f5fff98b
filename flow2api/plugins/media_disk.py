"""Keeps media in a folder of the local disk: ``file:./data/media`` or ``file:///srv/media``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import msgspec

from flow2api.adapters.disk import FLUSH_WITHIN_S, DiskMediaStore
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.media import MediaStore
from flow2api.hookspecs import MediaStoreFactory, Section, SettingsSection, hookimpl


class DiskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plugin's section of the settings.

    Attributes:
        flush_within_s: How long pictures may stand unwritten, which a power cut would undo; 0 waits for the disk before
            each answer. Videos are always waited for.
    """

    flush_within_s: Annotated[float, msgspec.Meta(ge=0, le=60, extra_json_schema={"unit": "seconds"})] = FLUSH_WITHIN_S


@hookimpl
def register_media_stores() -> Iterable[MediaStoreFactory]:
    """The folder named by a ``file:`` URL."""
    return [MediaStoreFactory(name="disk", schemes=("file",), build=build)]


def build(url: str, section: Section) -> MediaStore:
    """The store for a ``file:`` URL; a path without a leading slash is relative to the working folder.

    Raises:
        ConfigurationError: The URL names no folder of this machine, or a setting is unknown or wrong.
    """
    try:
        settings = msgspec.convert(dict(section), DiskSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"A setting of the section `disk` is wrong: {error}.") from error
    return DiskMediaStore(_folder(url), flush_within_s=settings.flush_within_s)


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment or not path or "\0" in path:
        raise ConfigurationError(
            "The media URL must be file: with a path of this machine, such as file:./data/media or file:///srv/media."
        )
    return Path(path)


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """Its section."""
    return [SettingsSection("disk", DiskSettings)]
