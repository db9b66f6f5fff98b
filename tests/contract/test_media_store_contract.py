"""What every media store promises, asked of the fake, of the disk, and of memory before the disk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flow2api.adapters.disk import DiskMediaStore
from flow2api.adapters.memory import FreshMedia
from flow2api.domain.ports.media import MediaStore
from flow2api.testing.contracts import MediaStoreContract
from flow2api.testing.fakes.media import FakeMediaStore


class TestFakeMediaStore(MediaStoreContract):
    @pytest.fixture
    def store(self) -> MediaStore:
        return FakeMediaStore()


class TestDiskMediaStore(MediaStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[MediaStore]:
        made = DiskMediaStore(tmp_path / "media")
        yield made
        await made.aclose()


class TestFreshMedia(MediaStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[MediaStore]:
        made = FreshMedia(DiskMediaStore(tmp_path / "media"))
        yield made
        await made.aclose()
