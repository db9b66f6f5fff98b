"""The storage keeps every promise of the port."""

from pathlib import Path

import pytest
from flow2api_lmdb.engine import GIB, Engine
from flow2api_lmdb.storage import LmdbStorage

from flow2api.testing.contracts import NewStorage, StorageContract
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.secrets import FakeCipher


class TestLmdbStorage(StorageContract):
    @pytest.fixture
    def new_storage(self, tmp_path: Path, clock: FakeClock) -> NewStorage:
        cipher = FakeCipher()
        return lambda: LmdbStorage(Engine(tmp_path / "data", cipher, clock, GIB), cipher, clock)
