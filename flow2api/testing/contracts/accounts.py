"""What a storage promises of accounts, their secrets, and keys to our API."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.account import Account, AccountStatus, CallKind, Capacity, Credentials, Rest, RestReason
from flow2api.domain.audit import AuditAction
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError
from flow2api.domain.key_rules import NO_RULES, KeyRules, KeyScope
from flow2api.domain.ports.account_directory import AccountFilter
from flow2api.domain.ports.storage import Storage
from flow2api.domain.secret import Secret
from flow2api.testing.contracts.reading import actions, all_accounts, entry_of, new_changes
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.planting import plant, plant_secrets
from flow2api.testing.samples import (
    NOW,
    account_of,
    credentials_of,
    key_of,
    whole_account,
)


class AccountsContract:
    """Accounts without their secrets."""

    async def test_keeps_every_field(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(whole_account(), credentials_of("a"))])

        assert added == replace(whole_account(), id=added.id)
        assert added.id > 0
        assert await storage.accounts.get(added.id) == added
        assert await all_accounts(storage) == [added]

    async def test_none_is_added_unless_all_are_new_where_that_is_asked(
        self, storage: Storage, clock: FakeClock
    ) -> None:
        known = replace(account_of("a"), email="a@example.org")
        (added,) = await storage.accounts.add([(known, credentials_of("a"))], unless_there=True)
        before = await storage.changes.latest()

        same_address = (replace(account_of("b"), email=known.email), credentials_of("b"))
        for same in (same_address, (account_of("b"), credentials_of("a"))):
            with pytest.raises(ConflictError, match=f"The account {added.id} signs in with the same"):
                await storage.accounts.add(
                    [(account_of("c"), credentials_of("c")), same], entry_of(clock), unless_there=True
                )
        assert await all_accounts(storage) == [added]
        assert (await new_changes(storage, before), await actions(storage)) == ([], [])

        elsewhere = replace(known, base_url="https://else.example")
        await storage.accounts.add([(elsewhere, credentials_of("a"))], unless_there=True)
        await storage.accounts.add([(known, credentials_of("a"))])
        assert len(await all_accounts(storage)) == 3

    async def test_numbers_are_small_grow_and_are_never_used_again(self, storage: Storage) -> None:
        first = await storage.accounts.add(
            [(account_of("a"), credentials_of("a")), (account_of("b"), credentials_of("b"))]
        )
        await storage.accounts.remove(first[1].id)
        (third,) = await storage.accounts.add([(account_of("c"), credentials_of("c"))])

        assert [account.id for account in (*first, third)] == [1, 2, 3]
        assert [account.name for account in await all_accounts(storage)] == ["a", "c"]

    async def test_finds_several_by_their_ids_and_leaves_out_who_is_gone(self, storage: Storage) -> None:
        added = await storage.accounts.add([(account_of(name), credentials_of(name)) for name in map(str, range(600))])
        await storage.accounts.remove(added[7].id)

        found = await storage.accounts.some([account.id for account in added])

        assert found == {account.id: account for account in added if account is not added[7]}
        assert await storage.accounts.some([]) == {}

    async def test_finds_by_address_in_every_upstream(self, storage: Storage) -> None:
        made = [
            replace(account_of("b"), email="b@example.org"),
            replace(account_of("a"), email="a@example.org"),
            replace(account_of("a elsewhere"), email="a@example.org", upstream="other"),
            replace(account_of("c"), email="c@example.org"),
            account_of("nobody's"),
        ]
        added = await storage.accounts.add([(account, credentials_of(account.name)) for account in made])

        assert list(await storage.accounts.with_emails(["a@example.org", "b@example.org", "x"])) == list(added[:3])
        assert list(await storage.accounts.with_emails([])) == []

    async def test_adds_none_when_given_none(self, storage: Storage) -> None:
        assert list(await storage.accounts.add([])) == []
        assert await new_changes(storage) == []

    async def test_saves_over_what_is_there(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        changed = replace(whole_account(), id=added.id)

        await plant(storage.accounts, changed)

        assert await storage.accounts.get(added.id) == changed

    async def test_late_save_does_not_bring_a_removed_account_back(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.accounts.remove(added.id)
        seen = await storage.changes.latest()

        await plant(storage.accounts, added)
        await plant_secrets(storage.vault, added, credentials_of("a"))
        await storage.accounts.remove(added.id)

        assert await storage.accounts.get(added.id) is None
        assert await storage.vault.read(added.id) is None
        assert await new_changes(storage, seen) == []

    async def test_loads_many_in_the_order_of_their_ids(self, storage: Storage) -> None:
        await storage.accounts.add([(account_of(f"{number}"), credentials_of(f"{number}")) for number in range(1200)])

        loaded = await all_accounts(storage)

        assert [account.id for account in loaded] == list(range(1, 1201))
        assert loaded[-1].name == "1199"

    async def test_unknown_account_is_none(self, storage: Storage) -> None:
        assert await storage.accounts.get(77) is None

    async def test_notes_every_change_in_the_feed(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await plant(storage.accounts, replace(added, remark="new"))
        await plant_secrets(storage.vault, added, credentials_of("b"))
        await plant_secrets(storage.vault, added, credentials_of("c"))
        await storage.accounts.remove(added.id)

        assert await new_changes(storage) == [("account", "1")] * 5


class VaultContract:
    """The secrets of accounts."""

    async def test_keeps_secrets_and_times(self, storage: Storage) -> None:
        secrets = Credentials(Secret("s"), Secret("a"), NOW + timedelta(hours=1), NOW)
        (added,) = await storage.accounts.add([(account_of("a"), secrets)])

        assert await storage.vault.read(added.id) == secrets
        assert await storage.vault.read(added.id + 1) is None

    async def test_host_of_an_account_is_kept_with_the_account_and_not_with_its_secrets(self, storage: Storage) -> None:
        account = replace(account_of("a"), base_url="https://images.example.org/v1")
        secrets = Credentials(Secret("s"), Secret("a"), NOW + timedelta(hours=1), NOW, base_url=account.base_url)
        (added,) = await storage.accounts.add([(account, secrets)])

        assert added.base_url == account.base_url
        assert await storage.vault.read(added.id) == replace(secrets, base_url=None)

        moved = replace(added, base_url="https://other.example.org")
        await plant_secrets(storage.vault, moved, replace(secrets, base_url=moved.base_url))

        assert await storage.accounts.get(added.id) == moved
        assert await storage.vault.read(added.id) == replace(secrets, base_url=None)

    async def test_loads_no_host_with_the_secrets(self, storage: Storage, clock: FakeClock) -> None:
        secrets = Credentials(Secret("s"), Secret("a"), clock.now() + timedelta(hours=1), clock.now())
        (added,) = await storage.accounts.add([(account_of("a"), replace(secrets, base_url="https://example.org"))])

        assert [each async for batch in storage.vault.load() for each in batch] == [(added.id, secrets)]

    async def test_replaces_secrets_and_account_in_one_step(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(account_of("a"), Credentials(Secret("s"), Secret("a"), NOW, NOW))])
        changed = replace(added, name="renamed")

        await plant_secrets(storage.vault, changed, Credentials(Secret("t")))

        assert await storage.vault.read(added.id) == Credentials(Secret("t"))
        assert await storage.accounts.get(added.id) == changed
        assert await storage.vault.find([Secret("s"), Secret("t")]) == {Secret("t"): [added.id]}

    async def test_secrets_go_with_the_account(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.accounts.remove(added.id)

        assert await storage.vault.read(added.id) is None
        assert await storage.vault.find([credentials_of("a").session_token]) == {}

    async def test_finds_which_of_many_session_tokens_are_kept(self, storage: Storage) -> None:
        await storage.accounts.add([(account_of("x"), Credentials(Secret(f"token-{number}"))) for number in range(5)])
        asked = [Secret(f"token-{number}") for number in range(3, 1500)]

        assert await storage.vault.find(asked) == {Secret("token-3"): [4], Secret("token-4"): [5]}
        assert await storage.vault.find([]) == {}

    async def test_finds_every_account_that_has_a_secret_in_the_order_of_ids(self, storage: Storage) -> None:
        shared = Credentials(Secret("shared"))
        added = await storage.accounts.add([(account_of(name), shared) for name in ("x", "y", "z")])
        await storage.accounts.remove(added[1].id)

        assert await storage.vault.find([Secret("shared")]) == {Secret("shared"): [added[0].id, added[2].id]}

    async def test_loads_only_access_tokens_that_have_not_ended(self, storage: Storage, clock: FakeClock) -> None:
        soon, before = clock.now() + timedelta(minutes=1), clock.now() - timedelta(seconds=1)
        added = await storage.accounts.add(
            [
                (account_of("fresh"), Credentials(Secret("1"), Secret("a"), soon, before)),
                (account_of("ended"), Credentials(Secret("2"), Secret("b"), before, before)),
                (account_of("new"), Credentials(Secret("3"))),
            ]
        )

        loaded = [each async for batch in storage.vault.load() for each in batch]

        assert loaded == [(added[0].id, Credentials(Secret("1"), Secret("a"), soon, before))]


class AccountDirectoryContract:
    """Looking through many accounts."""

    @pytest.fixture
    async def accounts(self, storage: Storage, clock: FakeClock) -> list[Account]:
        now = clock.now()
        soon, past = now + timedelta(minutes=5), now - timedelta(minutes=5)
        rests = {
            "active": (),
            "was cooling": (Rest(RestReason.RATE_LIMITED, past, past),),
            "one model": (Rest(RestReason.RATE_LIMITED, now, soon, "veo"),),
            "pictures only": (Rest(RestReason.QUOTA, now, soon, call=CallKind.VIDEO),),
            "no large ones": (Rest(RestReason.RATE_LIMITED, now, soon, call=CallKind.ENLARGEMENT),),
            "cooling": (Rest(RestReason.ERROR_STREAK, now, soon),),
            "suspended": (Rest(RestReason.QUOTA, now, soon), Rest(RestReason.AUTH_EXPIRED, now)),
            "disabled": (Rest(RestReason.MANUAL, now), Rest(RestReason.UNUSABLE, now)),
            "cooling for both": (
                Rest(RestReason.QUOTA, now, soon, call=CallKind.VIDEO),
                Rest(RestReason.ERROR_STREAK, now, soon + timedelta(hours=1), call=CallKind.PICTURE),
            ),
        }
        made = [replace(account_of(name), rests=those) for name, those in rests.items()]
        only_videos = replace(
            account_of("cooling for videos"), rests=rests["pictures only"], capacity=Capacity(image=0)
        )
        made.append(only_videos)
        return list(await storage.accounts.add([(one, credentials_of(one.name)) for one in made]))

    async def test_finds_by_a_whole_tag_spelt_as_it_is(self, storage: Storage, clock: FakeClock) -> None:
        tags: tuple[set[str], ...] = ({"eu", "pro"}, {"EU"}, {"eu-west"}, set(), {"é"})
        made = [replace(account_of(f"tagged {place}"), tags=frozenset(one)) for place, one in enumerate(tags)]
        added = await storage.accounts.add([(one, credentials_of(one.name)) for one in made])

        for tag, places in (
            ("eu", [0]),
            ("EU", [1]),
            ("pro", [0]),
            ("é", [4]),
            ("e", []),
            ("eu%", []),
            (",", []),
            ('eu","pro', []),
        ):
            wanted = AccountFilter(tag=tag)
            found = await storage.directory.page(wanted, clock.now(), after=0, limit=10)
            assert [one.id for one in found] == [added[place].id for place in places], tag
            assert sum((await storage.directory.count(wanted, clock.now())).values()) == len(places)

    @pytest.mark.parametrize("status", AccountStatus)
    async def test_finds_by_status_what_the_domain_says(
        self, storage: Storage, accounts: list[Account], clock: FakeClock, status: AccountStatus
    ) -> None:
        for _ in range(2):
            found = await storage.directory.page(AccountFilter(status=status), clock.now(), after=0, limit=10)

            assert found == [account for account in accounts if account.status(clock.now()) is status]
            clock.advance(600)

    async def test_counts_by_status(self, storage: Storage, accounts: list[Account], clock: FakeClock) -> None:
        assert await storage.directory.count(AccountFilter(), clock.now()) == {
            AccountStatus.ACTIVE: 5,
            AccountStatus.COOLING_DOWN: 3,
            AccountStatus.SUSPENDED: 1,
            AccountStatus.DISABLED: 1,
        }
        assert await storage.directory.count(AccountFilter(text="cooling"), clock.now()) == {
            AccountStatus.ACTIVE: 1,
            AccountStatus.COOLING_DOWN: 3,
            AccountStatus.SUSPENDED: 0,
            AccountStatus.DISABLED: 0,
        }

    async def test_follows_what_is_saved(self, storage: Storage, accounts: list[Account], clock: FakeClock) -> None:
        await plant(storage.accounts, accounts[0].resting(RestReason.MANUAL, clock.now()))
        await plant_secrets(storage.vault, replace(accounts[7], rests=()), credentials_of("x"))

        found = await storage.directory.page(
            AccountFilter(status=AccountStatus.DISABLED), clock.now(), after=0, limit=10
        )
        assert [account.name for account in found] == ["active"]

    async def test_pages_by_id(self, storage: Storage, accounts: list[Account], clock: FakeClock) -> None:
        first = await storage.directory.page(AccountFilter(), clock.now(), after=0, limit=6)
        rest = await storage.directory.page(AccountFilter(), clock.now(), after=first[-1].id, limit=6)

        assert [*first, *rest] == accounts

    @pytest.mark.parametrize("status", [None, *AccountStatus])
    @pytest.mark.parametrize("text", [None, "o", "cooling", "nobody"])
    async def test_looks_for_a_page_and_its_counts_at_once(
        self,
        storage: Storage,
        accounts: list[Account],
        clock: FakeClock,
        text: str | None,
        status: AccountStatus | None,
    ) -> None:
        wanted, now = AccountFilter(text=text, status=status), clock.now()
        for after in (0, 2):
            found = await storage.directory.look(wanted, now, after=after, limit=2)

            assert list(found.accounts) == list(await storage.directory.page(wanted, now, after=after, limit=2))
            assert found.counts == await storage.directory.count(wanted, now)

    async def test_searches_address_name_and_remark_whatever_the_case(self, storage: Storage, clock: FakeClock) -> None:
        plain = [
            replace(account_of("a"), email="ada@example.org"),
            account_of("ADA"),
            replace(account_of("c"), remark="lent to Ada"),
            account_of("bob"),
        ]
        await storage.accounts.add([(one, credentials_of(str(number))) for number, one in enumerate(plain)])

        found = await storage.directory.page(AccountFilter(text="aDa"), clock.now(), after=0, limit=10)

        assert [account.id for account in found] == [1, 2, 3]

    @pytest.mark.parametrize("text", ["%", "_", "\\", "a%z", "%%%%%%", "'; --"])
    async def test_wildcards_of_the_database_mean_nothing(self, storage: Storage, clock: FakeClock, text: str) -> None:
        await storage.accounts.add([(account_of("abcz"), credentials_of("a")), (account_of(text), credentials_of("b"))])

        found = await storage.directory.page(AccountFilter(text=text), clock.now(), after=0, limit=10)

        assert [account.name for account in found] == [text]


class ApiKeysContract:
    """Keys to our API."""

    async def test_keeps_every_field(self, storage: Storage) -> None:
        whole = replace(key_of("a"), revoked_at=NOW, last_used_at=NOW + timedelta(seconds=1), tag="t")

        added = await storage.api_keys.add(whole)

        assert added == replace(whole, id=1)
        assert await storage.api_keys.all() == [added]
        assert await storage.api_keys.find(whole.digest) == added
        assert await storage.api_keys.find(b"unknown") is None

    async def test_keeps_what_a_key_may_do(self, storage: Storage) -> None:
        rules = KeyRules(
            scopes=frozenset({KeyScope.IMAGES, KeyScope.MODELS}),
            models=("veo-*", "a, b"),
            expires_at=NOW + timedelta(days=1),
            requests_per_min=0,
            max_concurrent=3,
            max_per_day=100,
        )
        limited = await storage.api_keys.add(replace(key_of("a"), rules=rules, first_id=7))
        free = await storage.api_keys.add(key_of("b"))

        assert await storage.api_keys.find(limited.digest) == limited
        assert [key.rules for key in await storage.api_keys.all()] == [rules, NO_RULES]
        await storage.api_keys.save(replace(limited, rules=NO_RULES))
        await storage.api_keys.save(replace(free, rules=rules))
        assert [key.rules for key in await storage.api_keys.all()] == [NO_RULES, rules]

    async def test_refuses_the_name_of_an_active_key(self, storage: Storage) -> None:
        first = await storage.api_keys.add(key_of("a", b"1"))
        with pytest.raises(ConflictError, match="'a'"):
            await storage.api_keys.add(key_of("a", b"2"))

        await storage.api_keys.save(replace(first, revoked_at=NOW))
        again = await storage.api_keys.add(key_of("a", b"3"))

        assert [key.digest[:1] for key in await storage.api_keys.all()] == [b"1", b"3"]
        with pytest.raises(ConflictError):
            await storage.api_keys.save(first)
        await storage.api_keys.save(again)

    async def test_refuses_a_digest_that_is_there(self, storage: Storage) -> None:
        await storage.api_keys.add(key_of("a", b"1"))

        with pytest.raises(ConflictError):
            await storage.api_keys.add(key_of("b", b"1"))

    async def test_late_save_undoes_nothing_that_others_have_changed(self, storage: Storage, clock: FakeClock) -> None:
        seen = await storage.api_keys.add(key_of("a"))
        now = replace(seen, revoked_at=NOW)
        await storage.api_keys.save(now, former=seen)

        entry = entry_of(clock, AuditAction.KEY_CHANGED)
        with pytest.raises(ChangedMeanwhileError, match="revocation"):
            await storage.api_keys.save(replace(seen, name="b"), entry, former=seen)
        assert await storage.api_keys.all() == [now]
        assert await actions(storage) == []

        used = replace(now, last_used_at=NOW)  # when it was last used is nobody's change
        await storage.api_keys.save(replace(now, tag="t"), former=used)
        assert (await storage.api_keys.all())[0].tag == "t"

    async def test_successor_takes_the_name_and_place_of_a_key_in_one_step(
        self, storage: Storage, clock: FakeClock
    ) -> None:
        seen = await storage.api_keys.add(replace(key_of("a", b"1"), tag="t"))
        before = len(await new_changes(storage))
        entries = [entry_of(clock, AuditAction.KEY_CHANGED, str(seen.id)), entry_of(clock, AuditAction.KEY_CREATED)]

        new = await storage.api_keys.replace(
            replace(seen, name="a (old)"), replace(key_of("a", b"2"), first_id=seen.id), entries, former=seen
        )

        assert await storage.api_keys.all() == [replace(seen, name="a (old)"), new]
        assert (new.id, new.first_id, await storage.api_keys.find(new.digest)) == (2, seen.id, new)
        assert await actions(storage) == [("key.changed", "1"), ("key.created", "2")]
        assert (await new_changes(storage))[before:] == [("api_key", "1"), ("api_key", "2")]

    async def test_key_stays_as_it_was_where_its_successor_cannot_be_stored(
        self, storage: Storage, clock: FakeClock
    ) -> None:
        seen = await storage.api_keys.add(key_of("a", b"1"))
        await storage.api_keys.add(key_of("b", b"2"))
        before, known = await new_changes(storage), await storage.api_keys.all()
        former = replace(seen, name="a (old)")
        gone = replace(seen, id=99)

        for key, successor, looked_at in [
            (former, key_of("a", b"2"), seen),  # a text that another has
            (former, key_of("b", b"3"), seen),  # a name that another has
            (seen, key_of("a", b"3"), seen),  # a name that it keeps itself
            (replace(seen, name="b"), key_of("a", b"3"), seen),
            (gone, replace(key_of("c", b"3"), first_id=99), gone),
        ]:
            with pytest.raises(ConflictError):
                await storage.api_keys.replace(key, successor, [entry_of(clock)], former=looked_at)
            assert await storage.api_keys.all() == known

        assert (await actions(storage), await new_changes(storage)) == ([], before)

    async def test_key_that_somebody_has_changed_is_not_replaced(self, storage: Storage, clock: FakeClock) -> None:
        seen = await storage.api_keys.add(key_of("a", b"1"))
        now = replace(seen, revoked_at=NOW)
        await storage.api_keys.save(now)

        with pytest.raises(ChangedMeanwhileError, match="revocation"):
            await storage.api_keys.replace(
                replace(seen, name="a (old)"), key_of("a", b"2"), [entry_of(clock)], former=seen
            )

        assert await storage.api_keys.all() == [now]
        assert await actions(storage) == []

    async def test_key_is_replaced_once_by_several_at_once(self, storage: Storage) -> None:
        seen = await storage.api_keys.add(key_of("a", b"1"))

        results = await asyncio.gather(
            *(
                storage.api_keys.replace(
                    replace(seen, name=f"a ({number})"), key_of("a", f"new {number}".encode()), former=seen
                )
                for number in range(10)
            ),
            return_exceptions=True,
        )

        assert [type(result) for result in results].count(ChangedMeanwhileError) == 9
        assert len(await storage.api_keys.all()) == 2

    async def test_one_of_many_with_the_same_name_wins(self, storage: Storage) -> None:
        results = await asyncio.gather(
            *(storage.api_keys.add(key_of("a", f"{number}".encode())) for number in range(20)), return_exceptions=True
        )

        assert [type(result) for result in results].count(ConflictError) == 19
        assert len(await storage.api_keys.all()) == 1

    async def test_notes_every_change_in_the_feed(self, storage: Storage) -> None:
        added = await storage.api_keys.add(key_of("a"))
        await storage.api_keys.save(replace(added, revoked_at=NOW))
        await storage.api_keys.save(replace(added, id=99, name="gone"))

        assert await new_changes(storage) == [("api_key", "1"), ("api_key", "1")]
