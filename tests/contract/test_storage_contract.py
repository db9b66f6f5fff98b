"""What every storage promises, asked of the fake and of SQLite; and what only a file of SQLite can be asked."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flow2api.adapters.persistence import open_url
from flow2api.domain.errors import ConflictError
from flow2api.domain.operator import Role
from flow2api.domain.ports.storage import Storage
from flow2api.domain.second_factor import SecondFactor
from flow2api.domain.secret import Secret
from flow2api.domain.session import LONGEST_IDLE
from flow2api.testing.contracts import NewStorage, StorageContract
from flow2api.testing.contracts.maintenance import MaintainsContract
from flow2api.testing.contracts.proxies import PASSWORD, proxy_of
from flow2api.testing.contracts.reading import entry_of, session_of
from flow2api.testing.contracts.storage import PeeksOptionsContract
from flow2api.testing.contracts.telling import PHONE, SHOP
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.maintained import FakeMaintainedStorage
from flow2api.testing.planting import plant
from flow2api.testing.samples import NOW, account_of, credentials_of, operator_of
from tests.integration.persistence.databases import KEY, cipher_of, storage_at


class TestFakeStorage(StorageContract):
    @pytest.fixture
    def new_storage(self, clock: FakeClock) -> NewStorage:
        storage = FakeMaintainedStorage(clock)
        return lambda: storage


class TestSqliteStorage(StorageContract):
    @pytest.fixture
    def new_storage(self, tmp_path: Path, clock: FakeClock) -> NewStorage:
        return lambda: storage_at(tmp_path / "flow2api.db", clock)


class TestSqliteFile:
    """The storage as a URL names it, asked for what only one over a whole file offers."""

    @pytest.fixture
    def new_storage(self, tmp_path: Path, clock: FakeClock) -> NewStorage:
        return lambda: open_url(f"sqlite:///{tmp_path / 'flow2api.db'}", cipher_of(KEY), clock)

    @pytest.fixture
    async def storage(self, new_storage: NewStorage) -> AsyncIterator[Storage]:
        made = new_storage()
        await made.open()
        yield made
        await made.aclose()

    TestPeeksOptions = PeeksOptionsContract
    TestMaintains = MaintainsContract


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


async def test_audit_log_cannot_be_changed_even_by_sql(tmp_path: Path, clock: FakeClock) -> None:
    storage = storage_at(tmp_path / "flow2api.db", clock)
    await storage.open()
    await storage.audit_log.note(entry_of(clock))
    await storage.aclose()

    with closing(sqlite3.connect(tmp_path / "flow2api.db")) as connection:
        for statement in ("UPDATE audit_log SET actor = 'eve'", "DELETE FROM audit_log"):
            with pytest.raises(sqlite3.IntegrityError, match="the audit log only grows"):
                connection.execute(statement)


async def test_change_is_refused_when_its_entry_cannot_be_written(tmp_path: Path, clock: FakeClock) -> None:
    storage = storage_at(tmp_path / "flow2api.db", clock)
    await storage.open()
    (account,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
    bob = await storage.operators.add(replace(operator_of("bob"), role=Role.VIEWER))
    with closing(sqlite3.connect(tmp_path / "flow2api.db")) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END")
        connection.commit()
    try:
        for change in (
            plant(storage.accounts, replace(account, remark="changed"), entry_of(clock)),
            storage.accounts.remove(account.id, entry_of(clock)),
            storage.options.write({"policy": "random"}, "ada", entry_of(clock)),
            storage.operators.remove(bob.id, entry_of(clock)),
        ):
            with pytest.raises(ConflictError):
                await change

        assert await storage.accounts.get(account.id) == account
        assert await storage.options.read() == {}
        assert await storage.operators.all() == [bob]
    finally:
        await storage.aclose()


async def test_upkeep_forgets_sessions_and_tries_that_count_for_nothing(tmp_path: Path, clock: FakeClock) -> None:
    storage = storage_at(tmp_path / "flow2api.db", clock)
    await storage.open()
    ada = await storage.operators.add(operator_of("ada"))
    await storage.sessions.add(session_of(clock, b"idle", ada.id))
    await storage.sign_in_tries.begin([b"name"], clock.now())
    clock.advance(LONGEST_IDLE.total_seconds())
    await storage.sessions.add(session_of(clock, b"other stamp", ada.id, "former"))
    await storage.sessions.add(session_of(clock, b"fresh", ada.id))
    await storage.aclose()

    again = storage_at(tmp_path / "flow2api.db", clock)
    await again.open()
    try:
        assert [session.id for session in await again.sessions.of_operator(ada.id)] == ["ses_fresh"]
    finally:
        await again.aclose()
    with closing(sqlite3.connect(tmp_path / "flow2api.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sign_in_tries").fetchone() == (0,)


async def test_addresses_and_secrets_are_sealed_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "flow2api.db"
    storage = storage_at(path)
    await storage.open()
    await storage.notify_targets.add(PHONE)
    await storage.webhooks.add(SHOP)
    ada = await storage.operators.add(operator_of("ada"))
    factor = SecondFactor(operator_id=ada.id, secret=Secret("CANARY2222CANARY2222CANARY222222"), created_at=NOW)
    await storage.second_factors.begin(factor)
    await storage.aclose()

    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"shop.example" in written
    assert [one for one in (b"tgram://", b"token=secret", b"whsec_", b"CANARY") if one in written] == []


async def test_password_is_sealed_in_the_file(tmp_path: Path, clock: FakeClock) -> None:
    storage = storage_at(tmp_path / "flow2api.db", clock)
    await storage.open()
    one = await storage.proxies.add(proxy_of("one", clock))
    two = await storage.proxies.add(proxy_of("two", clock))
    await storage.aclose()

    with closing(sqlite3.connect(tmp_path / "flow2api.db")) as connection:
        rows = connection.execute("SELECT * FROM proxies").fetchall()
        assert PASSWORD not in repr(rows)
        assert connection.execute("SELECT address FROM proxies").fetchone() == (one.address,)
        sealed = connection.execute("SELECT url FROM proxies WHERE name = 'one'").fetchone()
        connection.execute("UPDATE proxies SET url = ? WHERE id = ?", (*sealed, two.id))
        connection.commit()
    again = storage_at(tmp_path / "flow2api.db", clock)
    await again.open()
    with pytest.raises(Exception, match=r"sealed|damaged|another"):
        await again.proxies.all()
    await again.aclose()
