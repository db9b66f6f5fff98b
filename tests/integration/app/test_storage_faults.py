"""A program whose disk takes nothing more: it says so, and what is kept can still be read."""

import errno
import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from flow2api.adapters.health import Readiness
from flow2api.app import Services, build_services, running
from flow2api.domain.errors import ConfigurationError, StorageError
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings
from flow2api.testing.fakes.media import in_chunks


def services_at(folder: Path, **environment: str) -> Services:
    extensions = load_extensions()
    given = {"FLOW2API_DATA_DIR": str(folder / "data"), **environment}
    return build_services(load_settings(given, sections=extensions.sections), extensions)


def refuse_files(patched: pytest.MonkeyPatch, code: int) -> None:
    """Let no file be made any more, as on a disk that is full or mounted read-only."""
    os_open = os.open

    def refusing(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(code, os.strerror(code))
        return os_open(path, flags, *args, **kwargs)

    patched.setattr(os, "open", refusing)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
async def test_server_does_not_start_where_no_database_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    services = services_at(tmp_path)
    refuse_files(monkeypatch, code)

    with pytest.raises(ConfigurationError, match=r"cannot be opened: (Read-only|Permission)"):
        async with running(services):
            raise AssertionError("it started")


async def test_server_does_not_start_with_a_media_folder_that_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(services_at(tmp_path)):
        pass
    services = services_at(tmp_path)
    monkeypatch.setattr(services.store, "room", _read_only)

    with pytest.raises(StorageError, match="media folder cannot be used"):
        async with running(services):
            raise AssertionError("it started")


async def _read_only() -> int:
    raise StorageError("The media folder cannot be used (EROFS); check the disk and the folder's owner.")


@pytest.mark.parametrize(("code", "problem"), [(errno.EROFS, "media_unavailable"), (errno.ENOSPC, "media_full")])
async def test_server_is_not_ready_while_the_media_folder_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, problem: str
) -> None:
    services = services_at(tmp_path)
    readiness = Readiness(services.storage.ping, lambda: services.room.problem)
    async with running(services, readiness):
        stored = await services.store.put(in_chunks(b"kept before"))
        assert await readiness.problem() is None

        with monkeypatch.context() as patched:
            refuse_files(patched, code)
            await services.room.look()
            assert await readiness.problem() == problem
            assert b"".join([chunk async for chunk in services.store.read(stored.sha256)]) == b"kept before"

        await services.room.look()
        assert await readiness.problem() is None


async def test_server_starts_with_a_full_media_folder_and_is_not_ready(tmp_path: Path) -> None:
    services = services_at(tmp_path, FLOW2API_OPTIONS__MEDIA_ROOM_MB=str(10**9))
    readiness = Readiness(services.storage.ping, lambda: services.room.problem)
    async with running(services, readiness):
        assert await readiness.problem() == "media_full"


async def test_bytes_of_a_killed_server_are_swept_and_others_stay(tmp_path: Path) -> None:
    """Nothing but the files is left of it: put, and never named by a row."""
    services = services_at(tmp_path)
    async with running(services):
        old, young = [await services.store.put(in_chunks(data)) for data in (b"old", b"young")]
        path = tmp_path / "data" / "media" / old.sha256[:2] / old.sha256
        os.utime(path, (time.time() - 3700,) * 2)

        assert await services.upkeep.purge.drop_unnamed() == 1

        assert await services.store.size(hashlib.sha256(b"old").hexdigest()) is None
        assert await services.store.size(young.sha256) == 5
