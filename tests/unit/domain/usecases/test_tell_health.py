"""What operators do is in the timeline, under their name, when it has been done."""

from dataclasses import replace

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.audit import Actor, AuditEntry
from flow2api.domain.health import HealthKind
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.tell_health import ToldAccounts, ToldVault
from flow2api.testing.factories import AccountFactory
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.planting import plant, plant_secrets
from tests.unit.domain.usecases.stage import KINDS

CREDENTIALS = Credentials(Secret("s" * 240))


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage(FakeClock())


@pytest.fixture
def accounts(storage: FakeStorage) -> ToldAccounts:
    return ToldAccounts(storage.accounts, storage.health, FakeClock(), by="ada")


async def added(accounts: ToldAccounts) -> Account:
    return (await accounts.add([(AccountFactory.build(), CREDENTIALS)]))[0]


def told(storage: FakeStorage) -> list[tuple[HealthKind, str]]:
    return [(event.kind, event.by) for event in storage.tables.health]


async def test_tells_that_an_account_was_added_switched_off_and_on(
    storage: FakeStorage, accounts: ToldAccounts
) -> None:
    account = await added(accounts)
    off = account.resting(RestReason.MANUAL, FakeClock().now())
    await plant(accounts, off)
    await plant(accounts, off)
    await plant(accounts, account)
    await plant(accounts, replace(account, remark="lent"))
    assert told(storage) == [
        (HealthKind.ADDED, "ada"),
        (HealthKind.REST_BEGUN, "ada"),
        (HealthKind.REST_LIFTED, "ada"),
    ]


async def test_imported_ones_are_told_apart(storage: FakeStorage) -> None:
    accounts = ToldAccounts(storage.accounts, storage.health, FakeClock(), added_as=HealthKind.IMPORTED)
    await accounts.add([(AccountFactory.build(), CREDENTIALS), (AccountFactory.build(), CREDENTIALS)])
    assert told(storage) == [(HealthKind.IMPORTED, "operator")] * 2


async def test_new_session_token_is_told_without_being_shown(storage: FakeStorage, accounts: ToldAccounts) -> None:
    account = await added(accounts)
    vault = ToldVault(storage.vault, storage.health, FakeClock(), by="ada")
    await plant_secrets(vault, account, Credentials(Secret("t" * 240)))
    assert told(storage)[-1] == (HealthKind.SESSION_REPLACED, "ada")
    assert "tttt" not in repr(storage.tables.health)
    assert await vault.read(account.id) == Credentials(Secret("t" * 240))
    assert await vault.find([Secret("t" * 240)]) == {Secret("t" * 240): [account.id]}
    assert [one async for batch in vault.load() for one in batch] == []


async def test_nothing_is_told_of_what_was_refused(storage: FakeStorage, accounts: ToldAccounts) -> None:
    account = await added(accounts)
    storage.tables.fault = tree.StorageBusyError("locked")
    with pytest.raises(tree.StorageBusyError):
        await plant(accounts, account.resting(RestReason.MANUAL, FakeClock().now()))
    assert told(storage) == [(HealthKind.ADDED, "ada")]


async def test_reads_and_removes_as_ever(storage: FakeStorage, accounts: ToldAccounts) -> None:
    account = await added(accounts)
    assert await accounts.get(account.id) == account
    assert [one async for batch in accounts.load() for one in batch] == [account]
    await accounts.remove(account.id)
    await plant(accounts, account)
    assert await accounts.get(account.id) is None


async def test_new_key_is_told_as_one(storage: FakeStorage, accounts: ToldAccounts) -> None:
    account = replace(await added(accounts), upstream="keyed")
    vault = ToldVault(storage.vault, storage.health, FakeClock(), by="ada", kinds=KINDS)
    await plant_secrets(vault, account, Credentials(Secret("k1")))
    assert told(storage)[-1] == (HealthKind.KEY_REPLACED, "ada")


async def test_several_accounts_are_found_as_they_are(accounts: ToldAccounts) -> None:
    (account,) = await accounts.add([(AccountFactory.build(email="a@example.org"), CREDENTIALS)])
    assert await accounts.some([account.id, 99]) == {account.id: account}
    assert list(await accounts.with_emails(["a@example.org", "b@example.org"])) == [account]


async def test_operator_of_the_audit_entry_is_named(storage: FakeStorage) -> None:
    accounts = ToldAccounts(storage.accounts, storage.health, FakeClock())
    vault = ToldVault(storage.vault, storage.health, FakeClock())
    entry = AuditEntry(at=FakeClock().now(), actor=Actor(name="ada", door="console"), action="account.changed")
    (account,) = await accounts.add([(AccountFactory.build(), CREDENTIALS)], entry)
    await plant(accounts, account.resting(RestReason.MANUAL, FakeClock().now()), entry)
    await plant_secrets(vault, account, CREDENTIALS, entry)

    assert [by for _, by in told(storage)] == ["ada"] * 3


async def test_nothing_is_told_of_a_secret_that_was_not_replaced(storage: FakeStorage, accounts: ToldAccounts) -> None:
    account = await added(accounts)
    vault = ToldVault(storage.vault, storage.health, FakeClock())
    new = Credentials(Secret("t" * 240))
    assert await vault.write(account.id, new, lambda one: one, replaces=Secret("another")) is None
    assert told(storage) == [(HealthKind.ADDED, "ada")]
