"""A key at one place is one account; the same key elsewhere is another one's."""

from flow2api.domain.secret import Secret
from flow2api.domain.usecases.find_owners import find_owners
from tests.unit.domain.usecases.stage import Stage

HOME, NEW_HOME = "https://media.example.org/v1", "https://new.example.org/v1"


async def test_owner_is_who_has_the_secret_at_that_place(stage: Stage) -> None:
    keyed = await stage.key_account("k1")
    here = await stage.key_account("k1", HOME)
    there = await stage.key_account("k1", NEW_HOME)
    await stage.key_account("k2", NEW_HOME)
    vault, accounts, asked = stage.storage.vault, stage.storage.accounts, [Secret("k1"), Secret("k2"), Secret("k3")]

    assert await find_owners(vault, accounts, asked, ("keyed", None)) == {Secret("k1"): keyed.id}
    assert await find_owners(vault, accounts, asked, ("hosts", HOME)) == {Secret("k1"): here.id}
    assert await find_owners(vault, accounts, asked, ("hosts", NEW_HOME)) == {Secret("k1"): there.id, Secret("k2"): 4}
    assert await find_owners(vault, accounts, asked, ("flow", None)) == {}


async def test_account_that_has_just_gone_owns_nothing(stage: Stage) -> None:
    account = await stage.key_account("k1")
    del stage.tables.accounts[account.id]
    assert await find_owners(stage.storage.vault, stage.storage.accounts, [Secret("k1")], ("keyed", None)) == {}
