"""Deleted accounts get no work, and can be brought back for a day."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from flow2api.domain.account import Account, RestReason
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import AccountNotFoundError, ConflictError, StorageBusyError
from flow2api.domain.trash import KEPT_FOR
from flow2api.domain.usecases.delete_accounts import LOOK_EVERY_S, RestoreAccounts, take_away, trash_of
from flow2api.testing.planting import plant, plant_secrets
from tests.unit.domain.usecases.stage import Stage

ADA = Actor(name="ada", door="console", operator_id=1)


@pytest.fixture
def restore(stage: Stage) -> RestoreAccounts:
    storage = stage.storage
    return RestoreAccounts(stage.pool, storage.accounts, storage.vault, storage.trash, stage.clock)


async def deleted(stage: Stage, **changes: Any) -> Account:
    account = replace(await stage.account(), **changes)
    await plant(stage.storage.accounts, account)
    await take_away(stage.storage.accounts, stage.storage.trash, account.id, "ada", stage.clock, None)
    stage.pool.remove(account.id)
    return account


async def test_comes_back_as_it_was_and_is_at_work_at_once(stage: Stage, restore: RestoreAccounts) -> None:
    account = await deleted(stage, email="a@example.org", remark="mine")
    assert stage.pool.get(account.id) is None
    (shown,) = await restore.page(limit=5)
    assert (shown.account, shown.deleted_by, shown.gone_at) == (account, "ada", stage.clock.now() + KEPT_FOR)

    assert await restore(account.id, ADA) == account

    assert stage.pool.get(account.id) == stage.tables.accounts[account.id] == account
    assert [(one.action, one.subject, one.actor) for one in stage.tables.audit] == [
        (AuditAction.ACCOUNT_RESTORED, str(account.id), ADA)
    ]
    assert await restore.count() == 0
    with pytest.raises(AccountNotFoundError):
        await restore(account.id, ADA)


async def test_rests_are_those_of_before(stage: Stage, restore: RestoreAccounts) -> None:
    account = (await stage.account()).resting(RestReason.MANUAL, stage.clock.now())
    await plant(stage.storage.accounts, account)
    await take_away(stage.storage.accounts, stage.storage.trash, account.id, "ada", stage.clock, None)

    assert (await restore(account.id, ADA)).rest_of(RestReason.MANUAL) is not None


async def test_after_a_day_it_is_neither_shown_nor_brought_back(stage: Stage, restore: RestoreAccounts) -> None:
    account = await deleted(stage)
    await stage.clock.sleep(KEPT_FOR.total_seconds())

    assert await restore.page(limit=5) == []
    with pytest.raises(AccountNotFoundError):
        await restore(account.id, ADA)


async def test_page_is_full_though_some_have_just_gone(stage: Stage, restore: RestoreAccounts) -> None:
    young = [await deleted(stage) for _ in range(2)]
    old = [await deleted(stage) for _ in range(3)]
    for one in old:
        kept, secrets = stage.tables.deleted[one.id]
        stage.tables.deleted[one.id] = replace(kept, deleted_at=kept.deleted_at - KEPT_FOR), secrets

    ids = [one.id for one in reversed(young)]
    assert [one.account.id for one in await restore.page(limit=2)] == ids
    assert [one.account.id for one in await restore.all()] == ids


async def test_one_is_found_by_id_address_or_name(stage: Stage, restore: RestoreAccounts) -> None:
    first = await deleted(stage, email="a@example.org", name="studio")
    second = await deleted(stage, email="b@example.org", name="studio")

    for which, account in ((str(second.id), second), ("A@Example.org", first), ("b@example.org", second)):
        assert (await restore.find(which)).account == account
    with pytest.raises(ConflictError, match="More than one deleted account is called 'studio'"):
        await restore.find("studio")
    with pytest.raises(ConflictError, match="There is no deleted account 'nobody'"):
        await restore.find("nobody")


async def test_is_brought_back_where_nothing_works(stage: Stage) -> None:
    account = await deleted(stage)
    storage = stage.storage
    restore = RestoreAccounts(None, storage.accounts, storage.vault, storage.trash, stage.clock)

    assert await restore(account.id, ADA) == account

    assert stage.tables.accounts[account.id] == account
    assert stage.pool.get(account.id) is None


async def test_address_or_token_that_another_has_meanwhile_keeps_it_away(
    stage: Stage, restore: RestoreAccounts
) -> None:
    account = await deleted(stage)
    other = await stage.account()
    await plant(stage.storage.accounts, replace(other, email=account.email))
    with pytest.raises(ConflictError, match=f"The account {other.id} signs in with the same"):
        await restore(account.id, ADA)
    await stage.storage.accounts.remove(other.id)

    _, secrets = stage.tables.deleted[account.id]
    third = await stage.account()
    await plant_secrets(stage.storage.vault, third, secrets)
    with pytest.raises(ConflictError, match=f"The account {third.id} signs in with the same"):
        await restore(account.id, ADA)
    assert account.id in stage.tables.deleted


async def test_one_that_somebody_else_brings_back_meanwhile_is_not_there(
    stage: Stage, restore: RestoreAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await deleted(stage)

    async def nothing(account_id: int, audit: object = None) -> None:
        return None

    monkeypatch.setattr(stage.storage.trash, "restore", nothing)
    with pytest.raises(AccountNotFoundError):
        await restore(account.id, ADA)


async def test_housekeeping_forgets_what_is_too_old(stage: Stage, restore: RestoreAccounts) -> None:
    await deleted(stage)
    await stage.clock.sleep(KEPT_FOR.total_seconds() - 1)
    await restore.look()
    assert (await restore.count(), restore.last_count) == (1, 1)

    await stage.clock.sleep(2)
    stage.tables.fault = StorageBusyError("locked")
    looking = asyncio.create_task(restore.run())
    await stage.clock.sleep(1)
    assert len(stage.tables.deleted) == 1
    stage.tables.fault = None
    await stage.clock.sleep(LOOK_EVERY_S)
    looking.cancel()

    assert stage.tables.deleted == {}


async def test_storage_that_keeps_nothing_deletes_at_once(stage: Stage) -> None:
    account = await stage.account()
    restore = RestoreAccounts(stage.pool, stage.storage.accounts, stage.storage.vault, None, stage.clock)

    await take_away(stage.storage.accounts, None, account.id, "ada", stage.clock, None)
    await restore.look()

    assert (account.id in stage.tables.accounts, stage.tables.deleted) == (False, {})
    assert (restore.keeps_deleted, await restore.page(limit=5), await restore.count()) == (False, [], 0)
    with pytest.raises(AccountNotFoundError):
        await restore(account.id, ADA)
    assert trash_of(object()) is None
    assert trash_of(stage.storage) is stage.storage.trash
