"""What a storage promises of deleted accounts, if it keeps them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.account import Account
from flow2api.domain.errors import ConflictError
from flow2api.domain.ports.storage import AccountTrash, KeepsDeleted, Storage
from flow2api.testing.contracts.reading import actions, all_accounts, entry_of, new_changes
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.samples import NOW, account_of, credentials_of, whole_account


async def _added(storage: Storage, name: str) -> Account:
    (added,) = await storage.accounts.add([(account_of(name), credentials_of(name))])
    return added


class AccountTrashContract:
    """What was deleted is apart from all others, and comes back as it was."""

    @pytest.fixture
    def trash(self, storage: Storage) -> AccountTrash:
        """What the storage keeps of deleted accounts."""
        if not isinstance(storage, KeepsDeleted):
            pytest.skip("this storage keeps no deleted accounts")
        return storage.trash

    async def test_deleted_account_is_nowhere_but_there(
        self, storage: Storage, trash: AccountTrash, clock: FakeClock
    ) -> None:
        secrets = credentials_of("a")
        (added,) = await storage.accounts.add([(whole_account(), secrets)])
        before = await storage.changes.latest()

        await trash.put(added.id, "ada", NOW, entry_of(clock, "deleted", str(added.id)))

        assert await all_accounts(storage) == []
        assert await storage.vault.read(added.id) is None
        assert await storage.vault.find([secrets.session_token]) == {}
        assert await new_changes(storage, before) == [("account", str(added.id))]
        assert await actions(storage) == [("deleted", str(added.id))]
        assert await trash.count() == 1
        (kept,) = await trash.page(before=None, limit=5)
        assert (kept.account, kept.deleted_at, kept.deleted_by) == (added, NOW, "ada")
        assert await trash.read(added.id) == (kept, replace(secrets, base_url=None))

    async def test_comes_back_under_its_id_as_it_was(
        self, storage: Storage, trash: AccountTrash, clock: FakeClock
    ) -> None:
        (added,) = await storage.accounts.add([(whole_account(), credentials_of("a"))])
        secrets = await storage.vault.read(added.id)
        assert secrets is not None
        await trash.put(added.id, "ada", NOW)
        before = await storage.changes.latest()

        assert await trash.restore(added.id, entry_of(clock, "restored", str(added.id))) == added

        assert await all_accounts(storage) == [added]
        assert await storage.vault.read(added.id) == secrets
        assert await storage.vault.find([secrets.session_token]) == {secrets.session_token: [added.id]}
        assert await new_changes(storage, before) == [("account", str(added.id))]
        assert (await trash.count(), await trash.read(added.id)) == (0, None)
        assert (await _added(storage, "b")).id > added.id

    async def test_who_is_not_there_is_neither_kept_nor_brought_back(
        self, storage: Storage, trash: AccountTrash, clock: FakeClock
    ) -> None:
        await trash.put(7, "ada", NOW, entry_of(clock, "deleted", "7"))

        assert await trash.count() == 0
        assert await trash.restore(7, entry_of(clock, "restored", "7")) is None
        assert await actions(storage) == []

    async def test_stays_away_while_another_signs_in_with_the_same_at_its_place(
        self, storage: Storage, trash: AccountTrash, clock: FakeClock
    ) -> None:
        first, email = await _added(storage, "a"), "a@example.com"
        await trash.put(first.id, "ada", NOW)
        (second,) = await storage.accounts.add([(replace(account_of("b"), email=email), credentials_of("a"))])
        await trash.put(second.id, "ada", NOW)
        (third,) = await storage.accounts.add([(replace(account_of("c"), email=email), credentials_of("c"))])
        elsewhere = replace(account_of("a"), base_url="https://else.example")
        (fourth,) = await storage.accounts.add([(elsewhere, credentials_of("a"))])
        before = await storage.changes.latest()

        with pytest.raises(ConflictError, match=f"The account {third.id} signs in with the same"):
            await trash.restore(second.id, entry_of(clock, "restored", str(second.id)))
        assert await trash.restore(first.id) == first
        await storage.accounts.remove(third.id)
        with pytest.raises(ConflictError, match=f"The account {first.id} signs in with the same"):
            await trash.restore(second.id, entry_of(clock, "restored", str(second.id)))

        assert {one.id for one in await all_accounts(storage)} == {first.id, fourth.id}
        assert await trash.read(second.id) is not None
        assert await actions(storage) == []
        assert await new_changes(storage, before) == [("account", str(first.id)), ("account", str(third.id))]

    async def test_account_that_is_added_while_it_comes_back_is_there_once(
        self, storage: Storage, trash: AccountTrash, clock: FakeClock
    ) -> None:
        first = await _added(storage, "a")
        await trash.put(first.id, "ada", NOW)
        again = [(account_of("other"), credentials_of("a"))]

        outcomes = await asyncio.gather(
            trash.restore(first.id),
            *(storage.accounts.add(again, entry_of(clock, "added"), unless_there=True) for _ in range(3)),
            return_exceptions=True,
        )

        assert sum(isinstance(one, ConflictError) for one in outcomes) == 3
        assert len(await all_accounts(storage)) == 1

    async def test_pages_go_from_the_greatest_id_down(self, storage: Storage, trash: AccountTrash) -> None:
        ids = [(await _added(storage, name)).id for name in "abc"]
        for account_id in ids:
            await trash.put(account_id, "ada", NOW)

        assert [one.account.id for one in await trash.page(before=None, limit=2)] == [ids[2], ids[1]]
        assert [one.account.id for one in await trash.page(before=ids[1], limit=2)] == [ids[0]]

    async def test_what_was_deleted_long_ago_is_forgotten(self, storage: Storage, trash: AccountTrash) -> None:
        old, young = await _added(storage, "a"), await _added(storage, "b")
        await trash.put(old.id, "ada", NOW - timedelta(hours=25))
        await trash.put(young.id, "ada", NOW - timedelta(hours=23))

        assert await trash.forget(NOW - timedelta(hours=24)) == 1

        assert [one.account.id for one in await trash.page(before=None, limit=5)] == [young.id]
        assert await trash.restore(old.id) is None
