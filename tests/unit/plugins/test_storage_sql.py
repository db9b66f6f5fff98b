import base64
import os
from pathlib import Path

import pluggy
import pytest

from flow2api import hookspecs
from flow2api.adapters.vault import AesGcmCipher, KeyRing, KeySource
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.hookspecs import StorageFactory
from flow2api.plugins import storage_sql
from flow2api.testing.fakes.clock import FakeClock


@pytest.fixture
def factory() -> StorageFactory:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(storage_sql)
    manager.check_pending()
    (registered,) = manager.hook.register_storages()
    (factory,) = registered
    assert isinstance(factory, StorageFactory)
    return factory


@pytest.fixture
def cipher() -> AesGcmCipher:
    key = Secret(base64.urlsafe_b64encode(os.urandom(32)).decode())
    return AesGcmCipher(KeyRing(KeySource(key, None, Path("unused"))))


async def test_builds_a_storage_that_touches_nothing_until_it_is_opened(
    factory: StorageFactory, cipher: AesGcmCipher, tmp_path: Path
) -> None:
    storage = factory.build(f"sqlite:///{tmp_path}/data/flow2api.db", {}, cipher, FakeClock())
    assert list(tmp_path.iterdir()) == []

    await storage.open()
    await storage.ping()
    await storage.aclose()

    assert (factory.name, factory.schemes) == ("sql", ("sqlite",))
    assert (tmp_path / "data" / "flow2api.db").exists()


def test_refuses_a_url_without_a_file(factory: StorageFactory, cipher: AesGcmCipher) -> None:
    with pytest.raises(ConfigurationError, match="in memory"):
        factory.build("sqlite:///:memory:", {}, cipher, FakeClock())
