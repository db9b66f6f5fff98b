import os
from pathlib import Path

import pluggy
import pytest

from flow2api import hookspecs
from flow2api.adapters.disk import DiskMediaStore
from flow2api.domain.errors import ConfigurationError
from flow2api.plugins import media_disk
from flow2api.testing.fakes.media import in_chunks


def test_offers_the_disk_for_file_urls() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(media_disk)
    manager.check_pending()

    [[factory]] = manager.hook.register_media_stores()

    assert (factory.name, factory.schemes) == ("disk", ("file",))
    assert isinstance(factory.build("file:./data/media", {}), DiskMediaStore)


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:./kept", "kept"),
        ("file:kept/here", "kept/here"),
        ("file:kept%20here", "kept here"),
        ("file:///{}/kept", "kept"),
        ("file:/{}/kept", "kept"),
        ("file://localhost/{}/kept", "kept"),
    ],
)
async def test_keeps_media_in_the_folder_of_the_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    store = media_disk.build(url.format(str(tmp_path).strip("/")), {})

    stored = await store.put(in_chunks(b"x"))
    await store.aclose()

    assert (tmp_path / folder / stored.sha256[:2] / stored.sha256).read_bytes() == b"x"


@pytest.mark.parametrize(
    "url", ["file:", "file://", "file://server/share", "file:./x?mode=rw", "file:./x#a", "file:%00"]
)
def test_refuses_a_url_that_names_no_folder_of_this_machine(url: str) -> None:
    with pytest.raises(ConfigurationError, match="file:///srv/media"):
        media_disk.build(url, {})


def test_refuses_settings_that_it_does_not_have() -> None:
    with pytest.raises(ConfigurationError, match="size"):
        media_disk.build("file:./x", {"size": 1})


@pytest.mark.parametrize("wrong", ["soon", "-1", "61"])
def test_refuses_a_flush_interval_that_it_cannot_use(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="flush_within_s"):
        media_disk.build("file:./x", {"flush_within_s": wrong})


async def test_takes_its_flush_interval_from_the_environment_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    store = media_disk.build(f"file:{tmp_path}/kept", {"flush_within_s": "0"})

    await store.put(in_chunks(b"x"))
    await store.aclose()

    assert len(synced) >= 2
