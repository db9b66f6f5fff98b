"""SQLite storages for tests, with the schema made once and copied."""

import atexit
import base64
import functools
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from flow2api.adapters.persistence import SqliteDatabase, SqlStorage
from flow2api.adapters.vault import AesGcmCipher, KeyRing, KeySource
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.clock import FakeClock

FLUSH_INTERVAL_S = 0.01
"""What is noted waits for more of its kind in tests, too, but not for long."""


def new_key() -> Secret:
    return Secret(base64.urlsafe_b64encode(os.urandom(32)).decode())


KEY = new_key()


def cipher_of(*keys: Secret) -> AesGcmCipher:
    value = Secret(",".join(key.reveal() for key in keys))
    return AesGcmCipher(KeyRing(KeySource(value, None, Path("unused"))))


@functools.cache
def _template() -> Path:
    """A database with the current schema and nothing in it."""
    folder = Path(tempfile.mkdtemp(prefix="flow2api-schema-"))
    atexit.register(shutil.rmtree, folder)
    database = SqliteDatabase(folder / "template.db")
    database._connect()
    database._disconnect()
    return folder / "template.db"


def storage_at(
    path: Path, clock: Clock | None = None, *, keys: tuple[Secret, ...] = (KEY,), busy_timeout_s: float = 5.0
) -> SqlStorage:
    """A storage over this file, which gets the current schema when it is new. Its clock begins with the real one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_template(), path)
    database = SqliteDatabase(path, busy_timeout_s=busy_timeout_s)
    clock = clock or FakeClock(datetime.now(UTC))
    return SqlStorage(database, cipher_of(*keys), clock, flush_interval_s=FLUSH_INTERVAL_S)
