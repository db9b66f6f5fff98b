from pathlib import Path

import pytest
from structlog.testing import capture_logs

from flow2api.app.first_operator import make_first_operator
from flow2api.domain.audit import AuditAction
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.operator import Operator, Role
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.passphrases import FakeMeter, FakePassphrases
from flow2api.testing.fakes.storage import FakeStorage

GOOD = "quiet maple river lamp"


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage(FakeClock())


@pytest.fixture
def manage(storage: FakeStorage) -> ManageOperators:
    return ManageOperators(storage.operators, FakePassphrases(), FakeMeter({"password12345": 10.0}), FakeClock())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(f"{GOOD}\n")
    file.chmod(0o600)
    return file


async def test_owner_is_made_of_the_file(manage: ManageOperators, storage: FakeStorage, file: Path) -> None:
    with capture_logs() as told:
        await make_first_operator(manage, str(file), START)

    (made,) = storage.tables.operators.values()
    assert (made.name, made.role) == ("operator", Role.OWNER)
    assert await FakePassphrases().verify(Secret(GOOD), made.passphrase_hash)
    assert [(entry["event"], entry["name"]) for entry in told] == [("made the first operator", "operator")]
    assert GOOD not in str(told)
    (entry,) = storage.tables.audit
    assert (entry.action, entry.actor.door, entry.subject) == (AuditAction.OPERATOR_CREATED, "settings", str(made.id))


async def test_without_a_file_nobody_is_made(manage: ManageOperators, storage: FakeStorage) -> None:
    await make_first_operator(manage, "", START)

    assert storage.tables.operators == {}


async def test_file_is_not_looked_at_once_there_is_an_operator(
    manage: ManageOperators, storage: FakeStorage, file: Path
) -> None:
    made = await manage.create("ada", Secret(GOOD))
    file.unlink()

    await make_first_operator(manage, str(file), START)

    assert storage.tables.operators == {1: made}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
async def test_file_that_others_can_read_is_refused(
    manage: ManageOperators, storage: FakeStorage, file: Path, mode: int
) -> None:
    file.chmod(mode)

    with pytest.raises(ConfigurationError, match=f"mode {mode:04o}.*chmod 600"):
        await make_first_operator(manage, str(file), START)
    assert storage.tables.operators == {}


async def test_missing_file_is_named(manage: ManageOperators, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing cannot be read: No such file"):
        await make_first_operator(manage, str(tmp_path / "missing"), START)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "holds no passphrase"),
        (b" \n", "holds no passphrase"),
        (b"x" * 5000, "holds no passphrase"),
        (b"\xff" * 20, "no UTF-8 text"),
        (b"admin", "12 to 128 characters"),
        (b"x" * 129, "12 to 128 characters"),
        (b"password12345", "first that would be tried"),
    ],
)
async def test_content_that_cannot_be_used_is_refused_but_not_repeated(
    manage: ManageOperators, storage: FakeStorage, file: Path, data: bytes, reason: str
) -> None:
    file.write_bytes(data)

    with pytest.raises(ConfigurationError, match=reason) as refused:
        await make_first_operator(manage, str(file), START)

    assert str(file) in refused.value.message
    assert "password12345" not in refused.value.message
    assert storage.tables.operators == {}


async def test_process_that_comes_second_leaves_the_first_ones_operator(
    manage: ManageOperators, storage: FakeStorage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await manage.create("ada", Secret(GOOD))

    async def not_seen_yet() -> list[Operator]:
        return []

    monkeypatch.setattr(storage.operators, "all", not_seen_yet)
    await make_first_operator(manage, str(file), START)

    assert storage.tables.operators == {1: first}
