import asyncio
import threading
from collections.abc import Callable

import pytest

from flow2api.domain.audit import Actor
from flow2api.domain.errors import ConflictError, NotKnownError, StorageFullError, UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_accounts import ImportAccounts, ImportedAccount, RowFate
from flow2api.domain.usecases.run_imports import (
    KEPT_FOR,
    MOST_IMPORTS,
    AccountImport,
    GivenRows,
    ImportPhase,
    RunImports,
)
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from tests.unit.domain.usecases.stage import CountingIds

ADA = Actor(name="ada", door="console", operator_id=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(clock: FakeClock) -> FakeStorage:
    return FakeStorage(clock)


@pytest.fixture
def imports(storage: FakeStorage, clock: FakeClock) -> RunImports:
    return RunImports(ImportAccounts(storage.accounts, storage.vault, clock), CountingIds(), clock)


def rows(*names: str) -> Callable[[], GivenRows]:
    given = [ImportedAccount(session_token=Secret(f"eyJ{name}-".ljust(300, "x")), name=name) for name in names]
    return lambda: GivenRows([None, *given, "bad"], "line")


async def at_rest(imports: RunImports, one: AccountImport) -> None:
    """Until nothing goes on in it; time may be played here, and a thread takes real time."""
    while not await imports.settled(one, 1):
        await asyncio.to_thread(threading.Event().wait, 0.001)


async def ready(imports: RunImports, *names: str, owner_id: int = 1) -> AccountImport:
    one = imports.begin(rows(*names), owner_id, "file.csv")
    await at_rest(imports, one)
    return one


async def test_what_was_read_is_shown_and_not_stored(imports: RunImports, storage: FakeStorage) -> None:
    one = await ready(imports, "a", "b")

    assert (one.phase, one.unit, one.total, one.source) == (ImportPhase.READY, "line", 4, "file.csv")
    assert [(told.row, told.fate, told.subject) for told in one.outcomes] == [
        (2, RowFate.NEW, "a"),
        (3, RowFate.NEW, "b"),
        (4, RowFate.INVALID, ""),
    ]
    assert (one.counts[RowFate.NEW], one.counts[RowFate.UPDATE]) == (2, 0)
    assert [batch async for batch in storage.accounts.load()] in ([], [[]])
    assert imports.get(one.id, 1) is one
    assert list(imports.of(1)) == [one]


async def test_import_that_is_started_stores_and_lets_the_secrets_go(imports: RunImports, storage: FakeStorage) -> None:
    one = await ready(imports, "a", "b")

    imports.start(one, ADA)
    assert one.is_at_work
    await at_rest(imports, one)

    assert (one.phase, one.done, one.given, one.counts[RowFate.NEW]) == (ImportPhase.DONE, 4, None, 2)
    assert await storage.accounts.get(2) is not None
    with pytest.raises(ConflictError, match="cannot be started"):
        imports.start(one, ADA)


async def test_import_is_seen_by_its_owner_alone(imports: RunImports) -> None:
    one = await ready(imports, "a")

    with pytest.raises(NotKnownError):
        imports.get(one.id, 2)
    assert list(imports.of(2)) == []


async def test_import_that_nobody_starts_is_forgotten(imports: RunImports, clock: FakeClock) -> None:
    one = await ready(imports, "a")

    clock.advance(KEPT_FOR.total_seconds() + 1)

    with pytest.raises(NotKnownError, match="half an hour"):
        imports.get(one.id, 1)


async def test_file_that_cannot_be_read_fails_with_its_reason(imports: RunImports) -> None:
    def read() -> GivenRows:
        raise UnsupportedInputError("The file is empty.")

    one = imports.begin(read, 1)
    await at_rest(imports, one)

    assert one.phase is ImportPhase.FAILED
    assert one.fault is not None
    assert one.fault.message == "The file is empty."
    with pytest.raises(ConflictError):
        imports.start(one, ADA)


async def test_fault_of_ours_is_told_without_its_inside(imports: RunImports, caplog: pytest.LogCaptureFixture) -> None:
    def read() -> GivenRows:
        raise RuntimeError("secret inside")

    one = imports.begin(read, 1)
    await at_rest(imports, one)

    assert one.fault is not None
    assert "secret inside" not in one.fault.message
    assert "secret inside" in caplog.text


async def test_storage_that_is_full_ends_the_import(
    imports: RunImports, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await ready(imports, "a")

    async def full(*_: object) -> None:
        raise StorageFullError("There is no room left.")

    monkeypatch.setattr(storage.accounts, "add", full)
    imports.start(one, ADA)
    await at_rest(imports, one)

    assert (one.phase, one.done, one.outcomes) == (ImportPhase.FAILED, 0, [])


async def test_oldest_that_is_idle_makes_room(imports: RunImports) -> None:
    first = await ready(imports, "a")
    for _ in range(MOST_IMPORTS):
        await ready(imports, "b")

    assert first not in imports.of(1)
    assert len(imports.of(1)) == MOST_IMPORTS


async def test_no_more_than_some_are_at_work(imports: RunImports) -> None:
    go = threading.Event()

    def read() -> GivenRows:
        go.wait(10)
        return GivenRows([], "row")

    begun = [imports.begin(read, 1) for _ in range(MOST_IMPORTS)]
    assert not await imports.settled(begun[0], 0)
    with pytest.raises(ConflictError, match="at work"):
        imports.begin(read, 1)
    go.set()
    await asyncio.gather(*(at_rest(imports, one) for one in begun))


async def test_discarded_import_is_gone_even_while_it_is_read(imports: RunImports) -> None:
    go = threading.Event()

    def read() -> GivenRows:
        go.wait(10)
        return GivenRows([], "row")

    reading, idle = imports.begin(read, 1), await ready(imports, "a")
    imports.discard(reading)
    imports.discard(idle)
    go.set()

    assert list(imports.of(1)) == []


async def test_import_that_runs_is_not_discarded_and_ends_with_the_program(
    imports: RunImports, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, begun = await ready(imports, "a"), asyncio.Event()

    async def stuck(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(storage.accounts, "add", stuck)
    imports.start(one, ADA)
    await begun.wait()

    with pytest.raises(ConflictError, match="runs"):
        imports.discard(one)
    async with asyncio.timeout(5):
        await imports.aclose()
    assert await imports.settled(one, 0) is False


async def test_growth_is_told_while_many_rows_come_to_be_held(storage: FakeStorage, clock: FakeClock) -> None:
    told: list[int] = []
    take_in = ImportAccounts(storage.accounts, storage.vault, clock)
    imports = RunImports(take_in, CountingIds(), clock, lambda: told.append(1))

    one = imports.begin(lambda: GivenRows(["bad"] * 4500, "row"), 1)
    await at_rest(imports, one)

    assert len(told) == 2
