import pytest

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import Actor
from flow2api.domain.errors import StorageFullError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.export_accounts import ExportAccounts
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage

ADA = Actor(name="ada", door="console", operator_id=1)


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage(FakeClock())


@pytest.fixture
def export(storage: FakeStorage) -> ExportAccounts:
    return ExportAccounts(storage.accounts, storage.vault, storage.audit_log, FakeClock())


async def add(storage: FakeStorage, many: int) -> None:
    blank = Account(id=0, upstream="flow", name="", created_at=START)
    await storage.accounts.add([(blank, Credentials(Secret(f"token {one}"))) for one in range(many)])


async def test_all_accounts_leave_with_their_secrets_in_the_order_of_ids(
    storage: FakeStorage, export: ExportAccounts
) -> None:
    await add(storage, 120)

    parts = [part async for part in await export.begin(ADA, is_plain=True, accounts=120)]

    left = [(account.id, credentials.session_token.reveal()) for part in parts for account, credentials in part]
    assert left == [(one + 1, f"token {one}") for one in range(120)]
    assert max(len(part) for part in parts) <= 50


async def test_account_that_is_removed_meanwhile_is_missing(storage: FakeStorage, export: ExportAccounts) -> None:
    await add(storage, 3)
    parts = await export.begin(ADA, is_plain=False, accounts=3)
    read = storage.vault.read

    async def without_second(account_id: int) -> Credentials | None:
        return None if account_id == 2 else await read(account_id)

    storage.vault.read = without_second  # type: ignore[method-assign]

    assert [account.id async for part in parts for account, _ in part] == [1, 3]


async def test_nothing_leaves_that_could_not_be_put_down(
    storage: FakeStorage, export: ExportAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFullError("There is no room left.")

    monkeypatch.setattr(storage.audit_log, "note", full)

    with pytest.raises(StorageFullError):
        await export.begin(ADA, is_plain=True, accounts=1)


async def test_export_is_put_down_with_who_did_it(storage: FakeStorage, export: ExportAccounts) -> None:
    await export.begin(ADA, is_plain=True, accounts=7)

    (entry,) = await storage.audit_log.page(before=None, limit=5)
    assert (entry.action, entry.actor, dict(entry.details)) == (
        "account.exported", ADA, {"accounts": 7, "is_plain": True},
    )  # fmt: skip


async def test_only_the_chosen_ones_leave(storage: FakeStorage, export: ExportAccounts) -> None:
    await add(storage, 60)
    chosen = [*range(60, 4, -1), 60, 99]

    parts = [part async for part in await export.begin(ADA, is_plain=True, accounts=57, only=chosen)]

    assert [account.id for part in parts for account, _ in part] == list(range(5, 61))
    assert storage.tables.audit[-1].details == {
        "accounts": 57,
        "is_plain": True,
        "is_part": True,
        "ids": [*range(5, 61), 99],
    }


async def test_most_of_many_are_put_down_by_their_number_alone(storage: FakeStorage, export: ExportAccounts) -> None:
    await export.begin(ADA, is_plain=True, accounts=501, only=range(1, 502))

    assert storage.tables.audit[-1].details == {"accounts": 501, "is_plain": True, "is_part": True}
