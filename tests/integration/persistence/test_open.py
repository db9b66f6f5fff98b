"""Opening a database: its files, its schema, its key."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from flow2api.adapters.persistence import SqliteDatabase, SqlStorage, open_url, schema
from flow2api.adapters.persistence.rows import Row
from flow2api.adapters.vault import AesGcmCipher, KeyRing, KeySource
from flow2api.domain.account import Credentials
from flow2api.domain.errors import ConfigurationError, ConflictError, StorageError
from flow2api.domain.ports.storage import PeeksOptions
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.secrets import FakeCipher
from flow2api.testing.planting import plant_secrets
from flow2api.testing.samples import account_of, credentials_of, key_of
from tests.integration.persistence.databases import KEY, new_key, storage_at

PROJECT = Path(__file__).parents[3]


def fresh(path: Path) -> SqlStorage:
    """A storage over a file that does not exist, with a key file beside it."""
    ring = KeyRing(KeySource(None, None, path.parent / "secret.key"))
    return SqlStorage(SqliteDatabase(path), AesGcmCipher(ring), FakeClock())


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


class TestFiles:
    async def test_folder_and_files_are_for_their_owner_alone(self, tmp_path: Path) -> None:
        storage = fresh(tmp_path / "data" / "flow2api.db")
        await storage.open()
        await storage.ping()

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
        await storage.aclose()

        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        assert modes == {
            "flow2api.db": 0o600,
            "flow2api.db-wal": 0o600,
            "flow2api.db-shm": 0o600,
            "secret.key": 0o600,
        }

    async def test_connections_are_set_up_for_durability(self, tmp_path: Path) -> None:
        storage = storage_at(tmp_path / "flow2api.db")
        await storage.open()
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")

        def values(connection: Connection) -> list[object]:
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

        assert await storage._database.write(values) == ["wal", 2, 5000, 1]
        assert (await storage._database.read(values))[2:] == [5000, 1]
        with pytest.raises(StorageError, match="read-only"):
            await storage._database.read(lambda connection: connection.exec_driver_sql("DELETE FROM changes"))
        await storage.aclose()

    async def test_never_more_than_four_connections_read(self, tmp_path: Path) -> None:
        storage = storage_at(tmp_path / "flow2api.db")
        await storage.open()

        await asyncio.gather(*(storage.changes.latest() for _ in range(40)))

        opened = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        assert opened.count(tmp_path / "flow2api.db") <= 5
        await storage.aclose()

    async def test_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        with pytest.raises(ConfigurationError, match="cannot be opened"):
            await storage_at_missing(tmp_path / "file" / "flow2api.db").open()

    async def test_file_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "flow2api.db").write_bytes(b"certainly no database" * 100)

        with pytest.raises(ConfigurationError, match="not a database"):
            await storage_at(tmp_path / "flow2api.db").open()

    async def test_closing_twice_or_unopened_does_no_harm(self, tmp_path: Path) -> None:
        storage = storage_at(tmp_path / "flow2api.db")
        await storage.open()
        await storage.aclose()
        await storage.aclose()
        await storage_at(tmp_path / "flow2api.db").aclose()

        with pytest.raises(StorageError, match="not open"):
            await storage.ping()
        with pytest.raises(StorageError, match="not open"):
            await storage.changes.latest()


def storage_at_missing(path: Path) -> SqlStorage:
    return SqlStorage(SqliteDatabase(path), AesGcmCipher(KeyRing(KeySource(KEY, None, path))), FakeClock())


class TestSchema:
    async def test_migrations_make_what_the_rows_say(self, tmp_path: Path) -> None:
        storage = fresh(tmp_path / "flow2api.db")
        await storage.open()
        await storage.aclose()

        engine = create_engine(f"sqlite:///{tmp_path / 'flow2api.db'}")
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Row.metadata) == []
            tables = {
                row[0]
                for row in query(
                    tmp_path / "flow2api.db", "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
                )
            }
        engine.dispose()
        assert tables == {
            "api_keys",
            "audit_log",
            "changes",
            "health_events",
            "notify_targets",
            "operators",
            "proxies",
            "webhook_deliveries",
            "webhooks",
        }

    def test_newest_revision_is_the_one_that_a_start_compares_with(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        config.set_main_option("path_separator", "os")

        assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]

    async def test_newer_schema_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "flow2api.db"
        storage = storage_at(path)
        await storage.open()
        await storage.aclose()
        query(path, "UPDATE alembic_version SET version_num = '9999'")

        with pytest.raises(ConfigurationError, match=r"newer flow2api \(schema 9999, this program knows"):
            await storage_at(path).open()

        assert query(path, "SELECT version_num FROM alembic_version") == [("9999",)]

    async def test_migration_that_fails_leaves_nothing_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "flow2api.db"
        upgrade = schema.upgrade

        def broken(connection: Connection) -> None:
            upgrade(connection)
            raise ConfigurationError("power cut")

        monkeypatch.setattr(schema, "upgrade", broken)
        with pytest.raises(ConfigurationError, match="power cut"):
            await fresh(path).open()
        assert query(path, "SELECT name FROM sqlite_master") == []

        monkeypatch.undo()
        storage = fresh(path)
        await storage.open()
        await storage.ping()
        await storage.aclose()

    async def test_start_on_a_current_database_waits_for_no_lock_to_migrate(self, tmp_path: Path) -> None:
        path = tmp_path / "flow2api.db"
        storage = storage_at(path, busy_timeout_s=0.1)
        await storage.open()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        database = SqliteDatabase(path, busy_timeout_s=0.1)

        await database.open()

        await database.aclose()
        other.close()
        await storage.aclose()

    def test_processes_that_start_together_make_one_database(self, tmp_path: Path) -> None:
        program = (
            "import asyncio, pathlib, sys\n"
            "from tests.integration.persistence.test_open import fresh\n"
            "from flow2api.testing.samples import account_of, credentials_of\n"
            "async def main():\n"
            "    storage = fresh(pathlib.Path(sys.argv[1]))\n"
            "    await storage.open()\n"
            "    (added,) = await storage.accounts.add([(account_of('a'), credentials_of('a'))])\n"
            "    assert await storage.vault.read(added.id) == credentials_of('a')\n"
            "    await storage.aclose()\n"
            "print('ready', flush=True); sys.stdin.readline()\n"
            "asyncio.run(main())\n"
        )
        path = tmp_path / "data" / "flow2api.db"
        starts = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=PROJECT,
            )
            for _ in range(3)
        ]
        for process in starts:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in starts:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        errors = [process.communicate(timeout=60)[1] for process in starts]

        assert [process.returncode for process in starts] == [0, 0, 0], errors
        assert query(path, "SELECT id FROM accounts ORDER BY id") == [(1,), (2,), (3,)]


class TestKey:
    async def test_first_start_makes_a_key_and_the_next_one_uses_it(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "flow2api.db"
        storage = fresh(path)
        await storage.open()
        await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.aclose()

        again = fresh(path)
        await again.open()
        assert await again.vault.read(1) == credentials_of("a")
        await again.aclose()

    async def test_lost_key_stops_the_start_and_no_new_one_is_made(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "flow2api.db"
        storage = fresh(path)
        await storage.open()
        await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.aclose()
        (tmp_path / "data" / "secret.key").unlink()

        with pytest.raises(ConfigurationError, match="holds secrets, but there is no key"):
            await fresh(path).open()

        assert not (tmp_path / "data" / "secret.key").exists()

    async def test_api_keys_alone_need_the_key_as_well(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "flow2api.db"
        storage = fresh(path)
        await storage.open()
        await storage.api_keys.add(key_of("a"))
        await storage.aclose()
        (tmp_path / "data" / "secret.key").unlink()

        with pytest.raises(ConfigurationError, match="no key"):
            await fresh(path).open()

    @pytest.mark.parametrize("held", ["account", "api key"])
    async def test_wrong_key_stops_the_start(self, tmp_path: Path, held: str) -> None:
        storage = storage_at(tmp_path / "flow2api.db")
        await storage.open()
        if held == "account":
            await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        else:
            await storage.api_keys.add(key_of("a"))
        await storage.aclose()

        with pytest.raises(ConfigurationError, match="sealed with another key"):
            await storage_at(tmp_path / "flow2api.db", keys=(new_key(),)).open()

    async def test_key_may_change_while_nothing_is_held(self, tmp_path: Path) -> None:
        for key in (new_key(), new_key()):
            storage = storage_at(tmp_path / "flow2api.db", keys=(key,))
            await storage.open()
            await storage.aclose()

    async def test_older_key_is_enough_to_read(self, tmp_path: Path) -> None:
        storage = storage_at(tmp_path / "flow2api.db")
        await storage.open()
        await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.aclose()

        rotated = storage_at(tmp_path / "flow2api.db", keys=(new_key(), KEY))
        await rotated.open()
        assert await rotated.vault.read(1) == credentials_of("a")
        await rotated.aclose()


class TestSecretsAtRest:
    async def test_no_file_holds_a_secret_in_clear_text(self, tmp_path: Path) -> None:
        storage = storage_at(tmp_path / "flow2api.db")
        await storage.open()
        planted = [Credentials(Secret(f"planted-session-{number}"), Secret("planted-access")) for number in range(50)]
        added = await storage.accounts.add([(account_of("a"), each) for each in planted])
        await plant_secrets(storage.vault, added[0], Credentials(Secret("planted-later"), Secret("planted-access")))
        await storage.ping()

        while_open = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        await storage.aclose()
        afterwards = b"".join(path.read_bytes() for path in tmp_path.iterdir())

        assert b"v1:" in while_open
        assert b"planted" not in while_open
        assert b"planted" not in afterwards

    async def test_sealed_text_moved_to_another_row_or_column_does_not_open(self, tmp_path: Path) -> None:
        path = tmp_path / "flow2api.db"
        storage = storage_at(path)
        await storage.open()
        await storage.accounts.add(
            [
                (account_of(name), Credentials(Secret(f"s-{name}"), Secret(f"a-{name}")))
                for name in ("one", "two", "three")
            ]
        )
        (one,), (two,) = query(path, "SELECT session_token FROM credentials WHERE account_id < 3 ORDER BY account_id")
        query(path, f"UPDATE credentials SET session_token = '{two}' WHERE account_id = 1")
        query(path, f"UPDATE credentials SET session_token = '{one}' WHERE account_id = 2")
        query(path, "UPDATE credentials SET access_token = session_token WHERE account_id = 3")

        for account_id in (1, 2, 3):
            with pytest.raises(ConfigurationError, match="damaged or was moved"):
                await storage.vault.read(account_id)
        await storage.aclose()

    async def test_conflict_shows_no_value(self, tmp_path: Path) -> None:
        storage = storage_at(tmp_path / "flow2api.db")
        await storage.open()
        await storage.api_keys.add(key_of("planted", b"1"))

        with pytest.raises(ConflictError) as caught:
            await storage.api_keys.add(key_of("other", b"1"))

        assert "1." not in str(caught.value)
        await storage.aclose()


class TestPeeking:
    async def test_options_are_told_beside_an_open_database_and_nothing_is_made(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'there.db'}"
        peeking = open_url(url, FakeCipher(), FakeClock())
        assert isinstance(peeking, PeeksOptions)
        assert peeking.peek_options() == {}
        assert list(tmp_path.iterdir()) == []

        storage = open_url(url, FakeCipher(), FakeClock())
        await storage.open()
        try:
            await storage.options.write({"plugins": ("one", "two"), "policy": None}, "me")
            assert peeking.peek_options() == {"plugins": ["one", "two"]}
        finally:
            await storage.aclose()
        assert peeking.peek_options() == {"plugins": ["one", "two"]}

    async def test_file_that_is_no_database_is_an_error_of_ours(self, tmp_path: Path) -> None:
        (tmp_path / "there.db").write_bytes(b"no database" * 1000)

        with pytest.raises(StorageError):
            open_url(f"sqlite:///{tmp_path / 'there.db'}", FakeCipher(), FakeClock()).peek_options()
