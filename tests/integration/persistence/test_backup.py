import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from flow2api.adapters.persistence import open_url
from flow2api.adapters.persistence.backup import SqliteFile
from flow2api.domain.account import Account, Credentials
from flow2api.domain.errors import ConfigurationError, ConflictError, StorageBusyError, StorageError
from flow2api.domain.ports.storage import Maintains
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.clock import START, FakeClock
from tests.integration.persistence.databases import KEY, cipher_of, new_key, storage_at


async def fill(path: Path, *names: str, keys: tuple[Secret, ...] = (KEY,)) -> None:
    storage = storage_at(path, keys=keys)
    await storage.open()
    await storage.accounts.add(
        [
            (Account(id=0, upstream="flow", name=name, created_at=START), Credentials(Secret(f"token of {name}")))
            for name in names
        ]
    )
    await storage.aclose()


async def names_in(path: Path) -> list[str]:
    storage = storage_at(path)
    await storage.open()
    try:
        return [account.name async for batch in storage.accounts.load() for account in batch]
    finally:
        await storage.aclose()


def file_at(path: Path) -> SqliteFile:
    return SqliteFile(path, cipher_of(KEY))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flow2api.db"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


def leftovers(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.name.startswith(".") or one.suffix in ("-wal", "-shm"))


# --- examine ----------------------------------------------------------------------------------------------------------


async def test_sound_database_has_no_faults(path: Path) -> None:
    await fill(path, "a")

    found = await file_at(path).examine()

    assert found.faults == ()
    assert found.schema == found.newest_schema
    assert found.size_bytes == path.stat().st_size


async def test_database_is_examined_beside_its_user(path: Path) -> None:
    storage = storage_at(path)
    await storage.open()
    try:
        assert (await file_at(path).examine()).faults == ()
        await storage.ping()
    finally:
        await storage.aclose()


async def test_damage_is_found(path: Path) -> None:
    await fill(path, *(f"name {number}" for number in range(500)))
    with path.open("r+b") as file:
        for page in range(30, 45):
            file.seek(page * 4096)
            file.write(os.urandom(4096))

    assert (await file_at(path).examine()).faults


async def test_rows_that_refer_to_nothing_are_found(path: Path) -> None:
    await fill(path, "a", "b")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM accounts WHERE name = 'a'")

    assert (await file_at(path).examine()).faults == ("1 rows refer to something that is not there.",)


async def test_missing_database_and_garbage_are_told(path: Path) -> None:
    with pytest.raises(StorageError, match="There is no database"):
        await file_at(path).examine()
    assert not path.exists()

    path.write_bytes(b"no database " * 1000)
    with pytest.raises(StorageError, match="damaged"):
        await file_at(path).examine()


def test_storage_offers_it(path: Path) -> None:
    assert isinstance(open_url(f"sqlite:///{path}", cipher_of(KEY), FakeClock()), Maintains)


# --- back up ----------------------------------------------------------------------------------------------------------


async def test_backup_is_one_file_of_ours_alone(path: Path, copy: Path) -> None:
    await fill(path, "a")

    size = await file_at(path).back_up(copy)

    assert size == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert await names_in(copy) == ["a"]
    assert leftovers(path.parent) == []


async def test_backup_beside_a_writer_has_every_write_that_was_acknowledged_before(path: Path, copy: Path) -> None:
    storage = storage_at(path)
    await storage.open()
    done = 0

    async def write() -> None:
        nonlocal done
        while True:
            account = Account(id=0, upstream="flow", name=str(done), created_at=START)
            await storage.accounts.add([(account, Credentials(Secret(f"token {done}")))])
            done += 1

    writing = asyncio.create_task(write())
    try:
        while done < 20:
            await asyncio.sleep(0)
        before = done
        await file_at(path).back_up(copy)
    finally:
        writing.cancel()
        await asyncio.wait([writing])
        await storage.aclose()

    kept = await names_in(copy)
    assert kept == [str(number) for number in range(len(kept))]
    assert before <= len(kept) <= done + 1
    assert (await file_at(copy).examine()).faults == ()


async def test_backup_replaces_no_file(path: Path, copy: Path) -> None:
    await fill(path, "a")
    copy.write_text("mine")

    with pytest.raises(ConflictError, match=r"copy\.db already"):
        await file_at(path).back_up(copy)
    assert copy.read_text() == "mine"


async def test_backup_of_nothing_or_into_nowhere_is_told(path: Path, copy: Path) -> None:
    with pytest.raises(StorageError, match="There is no database"):
        await file_at(path).back_up(copy)
    await fill(path, "a")
    with pytest.raises(StorageError, match="No such file or directory"):
        await file_at(path).back_up(path.parent / "nowhere" / "copy.db")
    assert not copy.exists()


# --- restore ----------------------------------------------------------------------------------------------------------


async def test_restore_puts_the_copy_in_place_and_keeps_the_former(path: Path, copy: Path) -> None:
    await fill(path, "old")
    await file_at(path).back_up(copy)
    await fill(path, "new")

    former = await file_at(path).restore(copy)

    assert former is not None
    assert await names_in(path) == ["old"]
    assert await names_in(former) == ["old", "new"]
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(former.stat().st_mode) == 0o600
    assert leftovers(path.parent) == []


async def test_restore_where_nothing_was(path: Path, copy: Path) -> None:
    await fill(copy, "a")
    elsewhere = path.parent / "new folder" / "flow2api.db"

    assert await file_at(elsewhere).restore(copy) is None
    assert await names_in(elsewhere) == ["a"]
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600


async def test_log_of_a_deleted_database_is_not_mixed_in(path: Path, copy: Path) -> None:
    await fill(copy, "a")
    path.with_name(f"{path.name}-wal").write_bytes(b"left behind")

    await file_at(path).restore(copy)

    assert await names_in(path) == ["a"]


async def test_database_in_use_is_not_replaced(path: Path, copy: Path) -> None:
    await fill(copy, "copy")
    storage = storage_at(path)
    await storage.open()
    try:
        with pytest.raises(StorageBusyError, match="stop the server"):
            await file_at(path).restore(copy)
        await storage.ping()
    finally:
        await storage.aclose()

    assert await names_in(path) == []
    assert sorted(one.name for one in path.parent.iterdir()) == ["copy.db", "flow2api.db"]


async def test_database_in_use_by_an_idle_process_is_not_replaced(path: Path, copy: Path) -> None:
    await fill(path, "mine")
    await fill(copy, "copy")
    program = (
        "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1]); "
        "connection.execute('SELECT count(*) FROM accounts').fetchall(); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"open\n"
        with pytest.raises(StorageBusyError):
            await file_at(path).restore(copy)
        process.stdin.close()
        await asyncio.to_thread(process.wait)

    await file_at(path).restore(copy)
    assert await names_in(path) == ["copy"]


async def test_copy_under_another_key_changes_nothing(path: Path, copy: Path) -> None:
    await fill(path, "mine")
    await fill(copy, "foreign", keys=(new_key(),))

    with pytest.raises(ConfigurationError, match="sealed with another key"):
        await file_at(path).restore(copy)

    assert await names_in(path) == ["mine"]
    assert leftovers(path.parent) == []


async def test_damaged_copy_changes_nothing(path: Path, copy: Path) -> None:
    await fill(path, "mine")
    await fill(copy, *(f"name {number}" for number in range(500)))
    with copy.open("r+b") as file:
        for page in range(30, 45):
            file.seek(page * 4096)
            file.write(os.urandom(4096))

    with pytest.raises(StorageError, match="damaged"):
        await file_at(path).restore(copy)
    copy.write_bytes(b"no database " * 1000)
    with pytest.raises(StorageError, match="damaged or no database"):
        await file_at(path).restore(copy)

    assert await names_in(path) == ["mine"]
    assert leftovers(path.parent) == []


async def test_database_of_another_program_is_refused(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("CREATE TABLE things (id INTEGER)")

    with pytest.raises(StorageError, match="no database of flow2api"):
        await file_at(path).restore(copy)
    assert not path.exists()


async def test_copy_of_a_newer_schema_is_refused(path: Path, copy: Path) -> None:
    await fill(path, "mine")
    await fill(copy, "newer")
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(ConfigurationError, match="newer flow2api"):
        await file_at(path).restore(copy)
    assert await names_in(path) == ["mine"]


async def test_database_that_is_damaged_beyond_reading_is_replaced_and_kept(path: Path, copy: Path) -> None:
    await fill(copy, "copy")
    path.write_bytes(b"no database " * 1000)

    former = await file_at(path).restore(copy)

    assert former is not None
    assert former.read_bytes().startswith(b"no database")
    assert await names_in(path) == ["copy"]
