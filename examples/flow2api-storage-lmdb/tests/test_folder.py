"""What only a folder of LMDB can be asked."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import flow2api_lmdb
import pytest
from flow2api_lmdb import open_url
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.keys import encoded
from flow2api_lmdb.schema import ACCOUNTS, DATABASES, FACTS
from flow2api_lmdb.storage import LmdbStorage
from flow2api_lmdb.tables import Step

from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ConfigurationError, ConflictError, StorageError, StorageFullError
from flow2api.domain.secret import Secret
from flow2api.domain.session import LONGEST_IDLE
from flow2api.extensions import load_extensions
from flow2api.testing.contracts.proxies import PASSWORD, proxy_of
from flow2api.testing.contracts.reading import entry_of, new_changes, session_of
from flow2api.testing.contracts.telling import PHONE, SHOP
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.secrets import FakeCipher
from flow2api.testing.planting import plant, plant_secrets
from flow2api.testing.samples import account_of, credentials_of, media_of, operator_of

MIB = 2**20


class SealingCipher(FakeCipher):
    """Hides what it seals from a search for it, and opens nothing under another key or at another place."""

    def __init__(self, key: str = "one") -> None:
        self.key = key

    def seal(self, secret: Secret, *, place: str) -> str:
        return f"{self.key}|{place}|{secret.reveal().encode().hex()}"

    def open(self, sealed: str, *, place: str) -> Secret:
        key, kept_at, text = sealed.split("|")
        if (key, kept_at) != (self.key, place):
            raise ConfigurationError("It was sealed with another key, or for another place.")
        return Secret(bytes.fromhex(text).decode())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def made(tmp_path: Path, clock: FakeClock) -> Callable[..., LmdbStorage]:
    def make(room: int = 64 * MIB, key: str = "one") -> LmdbStorage:
        cipher = SealingCipher(key)
        return LmdbStorage(Engine(tmp_path / "data", cipher, clock, room), cipher, clock)

    return make


def unwritable(clock: FakeClock) -> AuditEntry:
    return replace(entry_of(clock), details={"of": object()})


async def test_change_is_not_made_when_its_audit_entry_cannot_be_written(
    made: Callable[..., LmdbStorage], clock: FakeClock
) -> None:
    storage = made()
    await storage.open()
    (account,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
    operator = await storage.operators.add(operator_of("ada"))
    seen = await storage.changes.latest()
    for change in (
        storage.accounts.add([(account_of("b"), credentials_of("b"))], unwritable(clock)),
        plant(storage.accounts, replace(account, remark="changed"), unwritable(clock)),
        plant_secrets(storage.vault, replace(account, name="other"), credentials_of("c"), unwritable(clock)),
        storage.accounts.remove(account.id, unwritable(clock)),
        storage.operators.save(replace(operator, name="eve"), unwritable(clock)),
        storage.options.write({"policy": "random"}, "ada", unwritable(clock)),
        storage.webhooks.add(SHOP, unwritable(clock)),
    ):
        with pytest.raises(NotImplementedError):
            await change

    assert [one async for batch in storage.accounts.load() for one in batch] == [account]
    assert await storage.vault.read(account.id) == credentials_of("a")
    assert await storage.operators.find("ada") == operator
    assert await storage.options.read() == {}
    assert await storage.webhooks.all() == []
    assert await new_changes(storage, seen) == []
    (later,) = await storage.accounts.add([(account_of("b"), credentials_of("b"))])
    assert later.id == account.id + 1, "a step that was not carried out uses no number up"
    await storage.aclose()


async def test_conflict_in_the_middle_of_a_step_takes_everything_back(made: Callable[..., LmdbStorage]) -> None:
    storage = made()
    await storage.open()
    await storage.media.add([media_of("med_1", sha256="aa")])

    with pytest.raises(ConflictError):
        await storage.media.add([media_of("med_2", sha256="bb"), media_of("med_1", sha256="cc")])

    assert await storage.media.named(["aa", "bb", "cc"]) == {"aa"}
    await storage.aclose()


async def test_secrets_are_sealed_and_cannot_be_moved(
    tmp_path: Path, made: Callable[..., LmdbStorage], clock: FakeClock
) -> None:
    storage = made()
    await storage.open()
    first, second = [await storage.proxies.add(proxy_of(name, clock)) for name in ("one", "two")]
    await storage.accounts.add([(account_of("a"), credentials_of("canary"))])
    await storage.notify_targets.add(PHONE)
    await storage.webhooks.add(SHOP)
    await storage.aclose()

    written = (tmp_path / "data" / "data.mdb").read_bytes()
    assert b"shop.example" in written
    for secret in (PASSWORD, "session-token-of-canary", "tgram://", "token=secret", "whsec_"):
        assert secret.encode() not in written

    await storage._engine.open()
    await storage._engine.write(lambda step: _copy_record(step, "proxies", first.id, second.id))
    with pytest.raises(Exception, match="another place"):
        await storage.proxies.all()
    await storage._engine.aclose()


def _copy_record(step: Step, table: str, source: int, target: int) -> None:
    data = step.transaction.get(encoded((source,)), db=step.databases[table])
    assert data is not None
    step.transaction.put(encoded((target,)), data, db=step.databases[table])


async def test_another_key_is_refused_at_the_start(made: Callable[..., LmdbStorage]) -> None:
    storage = made()
    await storage.open()
    await storage.accounts.add([(account_of("a"), credentials_of("a"))])
    await storage.aclose()

    with pytest.raises(ConfigurationError, match="another key"):
        await made(key="two").open()
    again = made()
    await again.open()
    await again.aclose()


async def test_newer_schema_is_refused_at_the_start(made: Callable[..., LmdbStorage]) -> None:
    storage = made()
    await storage.open()
    await storage._engine.write(lambda step: step.put(FACTS, ("schema",), "99"))
    await storage.aclose()

    with pytest.raises(ConfigurationError, match="schema 99"):
        await made().open()


async def test_full_room_is_told_and_what_was_written_stays(made: Callable[..., LmdbStorage]) -> None:
    storage = made(room=2 * MIB)
    await storage.open()
    for number in range(20):
        await storage.options.write({f"o{number}": "x" * 50_000}, "ada")

    with pytest.raises(StorageFullError, match="room_gib"):
        await storage.options.write({"large": "x" * 2 * MIB}, "ada")

    assert len(await storage.options.read()) == 20
    await storage.options.write({"o0": None}, "ada")
    await storage.aclose()


async def test_folder_that_cannot_be_used_is_told(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")
    storage = open_url(f"lmdb:///{tmp_path}/file", {"room_gib": 1}, FakeCipher(), clock)

    with pytest.raises(StorageError, match=r"cannot be used|refused"):
        await storage.open()


async def test_file_of_somebody_else_is_told(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "data.mdb").write_bytes(b"no database at all" * 1000)

    with pytest.raises(StorageError, match="damaged or none of ours"):
        await open_url(f"lmdb:///{tmp_path}", {"room_gib": 1}, FakeCipher(), clock).open()


async def test_nothing_works_while_it_is_closed(made: Callable[..., LmdbStorage]) -> None:
    with pytest.raises(StorageError, match="not open"):
        await made().ping()


async def test_step_of_a_caller_that_is_cancelled_is_carried_out(made: Callable[..., LmdbStorage]) -> None:
    storage = made()
    await storage.open()
    adding = [asyncio.ensure_future(storage.options.write({f"o{number}": 1}, "ada")) for number in range(20)]
    await asyncio.sleep(0)
    for one in adding:
        one.cancel()
    await asyncio.gather(*adding, return_exceptions=True)
    await storage.aclose()

    await storage.open()
    assert len(await storage.options.read()) == 20
    await storage.aclose()


async def test_upkeep_forgets_what_counts_for_nothing(made: Callable[..., LmdbStorage], clock: FakeClock) -> None:
    storage = made()
    await storage.open()
    ada = await storage.operators.add(operator_of("ada"))
    await storage.sessions.add(session_of(clock, b"idle", ada.id))
    await storage.sign_in_tries.begin([b"name"], clock.now())
    latest = await storage.changes.latest()
    clock.advance(max(LONGEST_IDLE, timedelta(days=8)).total_seconds())
    await storage.sessions.add(session_of(clock, b"other stamp", ada.id, "former"))
    await storage.sessions.add(session_of(clock, b"fresh", ada.id))
    await storage.aclose()

    await storage.open()
    assert [session.id for session in await storage.sessions.of_operator(ada.id)] == ["ses_fresh"]
    assert await storage.changes.since(0) == []
    assert await storage.changes.latest() == latest
    await storage.aclose()


async def test_process_that_is_killed_leaves_whole_steps_and_no_lock(tmp_path: Path, clock: FakeClock) -> None:
    folder, mark = tmp_path / "data", tmp_path / "written"
    program = WRITER.replace("range(50)", "range(10**6)")
    writer = subprocess.Popen([sys.executable, "-c", program, str(folder), "a", str(mark)])
    try:
        until = time.monotonic() + 30
        while not mark.exists() or mark.stat().st_size < 40:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
    finally:
        writer.kill()
        writer.wait()
    told = len(mark.read_text())

    storage = open_url(f"lmdb:///{folder}", {"room_gib": 1}, FakeCipher(), clock)
    await storage.open()
    accounts = [account async for batch in storage.accounts.load() for account in batch]
    secrets = [await storage.vault.read(account.id) for account in accounts]
    entries = await storage.audit_log.page(before=None, limit=10**6)
    changes = await storage.changes.since(0, limit=10**6)
    await storage.ping()
    await storage.aclose()
    assert told <= len(accounts) <= told + 1
    assert None not in secrets
    assert [entry.subject for entry in reversed(entries)] == [str(account.id) for account in accounts]
    assert [change.id for change in changes] == [str(account.id) for account in accounts]


WRITER = """
import asyncio, sys
from pathlib import Path
from flow2api.adapters.system import SystemClock
from flow2api.testing.contracts.reading import entry_of
from flow2api.testing.fakes.secrets import FakeCipher
from flow2api.testing.samples import account_of, credentials_of
from flow2api_lmdb import open_url

async def main():
    storage = open_url(f"lmdb:///{sys.argv[1]}", {"room_gib": 1}, FakeCipher(), SystemClock())
    await storage.open()
    for number in range(50):
        name = f"{sys.argv[2]}-{number}"
        await storage.accounts.add([(account_of(name), credentials_of(name))], entry_of(SystemClock()))
        for mark in sys.argv[3:]:
            with open(mark, "a") as file:
                file.write(".")
    await storage.aclose()

asyncio.run(main())
"""


async def test_processes_that_write_at_once_lose_nothing(tmp_path: Path, clock: FakeClock) -> None:
    folder = tmp_path / "data"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name]) for name in ("a", "b")]
    assert [writer.wait(60) for writer in writers] == [0, 0]

    storage = open_url(f"lmdb:///{folder}", {"room_gib": 1}, FakeCipher(), clock)
    await storage.open()
    accounts = [account async for batch in storage.accounts.load() for account in batch]
    changes = await storage.changes.since(0)
    await storage.aclose()
    assert [account.id for account in accounts] == list(range(1, 101))
    assert {account.name for account in accounts} == {f"{who}-{number}" for who in "ab" for number in range(50)}
    assert [change.number for change in changes] == list(range(1, 101))
    assert not any(change.is_own for change in changes)


@pytest.mark.parametrize("url", ["lmdb://", "lmdb:///", "lmdb:/data", "sqlite:///data"])
def test_url_without_a_folder_is_refused(url: str, clock: FakeClock) -> None:
    with pytest.raises(ConfigurationError, match="lmdb:///"):
        open_url(url, {"room_gib": 1}, FakeCipher(), clock)


@pytest.mark.parametrize("section", [{"room_gib": "0"}, {"room_gib": "many"}, {"rome_gib": 1}])
def test_wrong_setting_leaves_the_plugin_out(section: dict[str, object]) -> None:
    found, _ = load_extensions(extra={"storage_lmdb": flow2api_lmdb}).checked({"lmdb": section})

    assert "room_gib" in str(found.left_out[0].error)
    assert "lmdb" not in found.storages


def test_section_has_its_default() -> None:
    found, sections = load_extensions(extra={"storage_lmdb": flow2api_lmdb}).checked({"lmdb": {}})

    assert (found.left_out, sections["lmdb"]) == ((), {"room_gib": 64})


def test_every_table_has_its_own_name() -> None:
    assert len(set(DATABASES)) == len(DATABASES)
    assert ACCOUNTS.name in DATABASES


async def in_one_group(storage: LmdbStorage, *works: Callable[[Step], object]) -> list[object]:
    """What comes of steps that arrive while another one is at work."""
    ended = threading.Event()
    first = asyncio.ensure_future(storage._engine.write(lambda step: ended.wait(10)))
    await asyncio.sleep(0)
    others = [asyncio.ensure_future(storage._engine.write(work)) for work in works]
    await asyncio.sleep(0)
    ended.set()
    await first
    return list(await asyncio.gather(*others, return_exceptions=True))


def noting(name: str, seen: set[int]) -> Callable[[Step], object]:
    def work(step: Step) -> str:
        seen.add(step.transaction.id())
        step.put(FACTS, (name,), name)
        return name

    return work


def failing(step: Step) -> None:
    step.put(FACTS, ("failed",), "x")
    raise ConflictError("There is one already.")


async def test_steps_that_wait_share_a_transaction_and_one_that_fails_takes_nobody_along(
    made: Callable[..., LmdbStorage],
) -> None:
    storage = made()
    await storage.open()
    seen: set[int] = set()

    outcomes = await in_one_group(storage, noting("a", seen), failing, noting("b", seen))

    assert (outcomes[0], type(outcomes[1]), outcomes[2]) == ("a", ConflictError, "b")
    assert len(seen) == 1
    found = await storage._engine.read(lambda step: [step.get(FACTS, name) for name in ("a", "b", "failed")])
    assert found == ["a", "b", None]
    await storage.aclose()


async def test_step_for_which_there_is_no_room_takes_nobody_along(made: Callable[..., LmdbStorage]) -> None:
    storage = made(room=2 * MIB)
    await storage.open()
    seen: set[int] = set()

    outcomes = await in_one_group(
        storage, noting("a", seen), lambda step: step.put(FACTS, ("large",), "x" * 3 * MIB), noting("b", seen)
    )

    assert (outcomes[0], type(outcomes[1]), outcomes[2]) == ("a", StorageFullError, "b")
    assert await storage._engine.read(lambda step: step.get(FACTS, "b")) == "b"
    await storage.aclose()


async def test_peeking_makes_nothing(tmp_path: Path, made: Callable[..., LmdbStorage]) -> None:
    assert made().peek_options() == {}
    assert list(tmp_path.iterdir()) == []
