"""What a storage promises when several change the same account at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import AccountNotFoundError
from flow2api.domain.ports.storage import Changed, Storage
from flow2api.domain.secret import Secret
from flow2api.testing.contracts.reading import NewStorage, actions, entry_of, new_changes
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.samples import account_of, credentials_of

OLD, NEW, GIVEN = Secret("old"), Secret("new"), Secret("given by the operator")


class AccountChangesContract:
    """Changes of one account by several, two of them over storages of their own."""

    @pytest.fixture
    async def account(self, storage: Storage) -> Account:
        (added,) = await storage.accounts.add([(replace(account_of("a"), credits=0), Credentials(OLD))])
        return added

    @pytest.fixture
    async def other(self, storage: Storage, new_storage: NewStorage) -> AsyncIterator[Storage]:
        made = new_storage()
        await made.open()
        yield made
        await made.aclose()

    async def test_none_of_many_at_once_is_lost(self, storage: Storage, other: Storage, account: Account) -> None:
        async def add(number: int) -> None:
            await (storage, other)[number % 2].accounts.change(account.id, _richer)

        async def renew(number: int) -> None:
            tagged = Credentials(Secret(f"s{number}"))
            await (storage, other)[number % 2].vault.write(account.id, tagged, _richer)

        await asyncio.gather(*map(add, range(40)), *map(renew, range(10)))

        assert await storage.accounts.get(account.id) == replace(account, credits=50)

    async def test_both_words_count_when_two_change_different_things(
        self, storage: Storage, other: Storage, account: Account, clock: FakeClock
    ) -> None:
        now = clock.now()
        await asyncio.gather(
            storage.accounts.change(account.id, lambda one: one.resting(RestReason.QUOTA, now)),
            other.accounts.change(account.id, lambda one: one.resting(RestReason.MANUAL, now)),
            other.accounts.change(account.id, lambda one: replace(one, remark="lent")),
        )

        stored = await storage.accounts.get(account.id)
        assert stored is not None
        assert stored.remark == "lent"
        assert {rest.reason for rest in stored.rests} == {RestReason.QUOTA, RestReason.MANUAL}

    async def test_tells_what_was_found_and_what_came_of_it(self, storage: Storage, account: Account) -> None:
        richer = replace(account, credits=1)
        assert await storage.accounts.change(account.id, _richer) == Changed(account, richer)
        assert await storage.vault.write(account.id, credentials_of("a"), _richer) == Changed(
            richer, replace(account, credits=2)
        )

    async def test_nobody_s_account_is_none(self, storage: Storage) -> None:
        assert await storage.accounts.change(77, _richer) is None
        assert await storage.vault.write(77, credentials_of("a"), _richer) is None

    async def test_what_is_so_already_is_neither_written_nor_noted(
        self, storage: Storage, account: Account, clock: FakeClock
    ) -> None:
        seen, entry = await storage.changes.latest(), entry_of(clock)

        changed = await storage.accounts.change(account.id, lambda one: replace(one, credits=0), lambda _: entry)

        assert changed == Changed(account, account)
        assert await new_changes(storage, seen) == []
        assert await actions(storage) == []

    async def test_entry_is_made_of_what_was_found(self, storage: Storage, account: Account, clock: FakeClock) -> None:
        def entry(changed: Changed) -> AuditEntry:
            return entry_of(clock, f"{changed.before.credits} to {changed.after.credits}", str(changed.before.id))

        await asyncio.gather(*(storage.accounts.change(account.id, _richer, entry) for _ in range(3)))
        await storage.vault.write(account.id, credentials_of("b"), _richer, entry)

        told = [f"{number} to {number + 1}" for number in range(4)]
        assert await actions(storage) == [(action, str(account.id)) for action in told]

    async def test_refusal_comes_out_and_harms_nobody_else(
        self, storage: Storage, account: Account, clock: FakeClock
    ) -> None:
        def refuse(one: Account) -> Account:
            raise AccountNotFoundError(one.id)

        def refuse_entry(changed: Changed) -> AuditEntry:
            raise AccountNotFoundError(changed.before.id)

        seen = await storage.changes.latest()
        outcomes = await asyncio.gather(
            storage.accounts.change(account.id, refuse, lambda _: entry_of(clock)),
            storage.accounts.change(account.id, _richer),
            storage.accounts.change(account.id, _richer, refuse_entry),
            storage.vault.write(account.id, Credentials(NEW), refuse, lambda _: entry_of(clock)),
            return_exceptions=True,
        )

        assert [type(one) for one in outcomes] == [
            AccountNotFoundError, Changed, AccountNotFoundError, AccountNotFoundError,
        ]  # fmt: skip
        assert await storage.accounts.get(account.id) == replace(account, credits=1)
        assert await storage.vault.read(account.id) == Credentials(OLD)
        assert await new_changes(storage, seen) == [("account", str(account.id))]
        assert await actions(storage) == []

    async def test_secrets_are_replaced_only_where_the_former_ones_are_stored(
        self, storage: Storage, other: Storage, account: Account, clock: FakeClock
    ) -> None:
        await other.vault.write(account.id, Credentials(GIVEN), lambda one: one)
        seen, entry = await storage.changes.latest(), entry_of(clock)

        lost = await storage.vault.write(account.id, Credentials(NEW), _richer, lambda _: entry, replaces=OLD)

        assert lost is None
        assert await storage.vault.read(account.id) == Credentials(GIVEN)
        assert await storage.vault.find([OLD, NEW, GIVEN]) == {GIVEN: [account.id]}
        assert await storage.accounts.get(account.id) == account
        assert await new_changes(storage, seen) == []
        assert await actions(storage) == []

        assert await storage.vault.write(account.id, Credentials(NEW), _richer, replaces=GIVEN) is not None
        assert await storage.vault.read(account.id) == Credentials(NEW)

    async def test_one_of_many_that_replace_the_same_secret_wins(
        self, storage: Storage, other: Storage, account: Account
    ) -> None:
        outcomes = await asyncio.gather(
            *(
                (storage, other)[number % 2].vault.write(
                    account.id, Credentials(Secret(f"s{number}")), _richer, replaces=OLD
                )
                for number in range(20)
            )
        )

        (winner,) = (number for number, outcome in enumerate(outcomes) if outcome is not None)
        assert await storage.vault.read(account.id) == Credentials(Secret(f"s{winner}"))
        assert await storage.accounts.get(account.id) == replace(account, credits=1)


def _richer(account: Account) -> Account:
    return replace(account, credits=(account.credits or 0) + 1)
