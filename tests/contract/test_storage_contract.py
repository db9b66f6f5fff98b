"""What every storage promises, asked of the fake and of SQLite."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flow2api.adapters.persistence.rows.base import to_moment
from flow2api.domain.account import Account, CallKind, Credentials, RestReason
from flow2api.domain.errors import ConflictError
from flow2api.domain.generation import Generation, Input, InputRole, Operation, Phase, State
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.domain.media import MediaKind
from flow2api.domain.operator import Role
from flow2api.domain.ports.storage import Change, GenerationFilter, IdempotencyClaim, LogEntry, PastRequest, Storage
from flow2api.domain.secret import Secret
from tests.factories import GenerationFactory
from tests.fakes.clock import START, FakeClock
from tests.fakes.storage import FakeStorage
from tests.integration.persistence.databases import (
    NOW,
    account_of,
    credentials_of,
    generation_of,
    key_of,
    media_of,
    operator_of,
    storage_at,
    whole_account,
    whole_generation,
    whole_media,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture(params=["fake", "sqlite"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Storage]:
    made: Storage = FakeStorage(clock) if request.param == "fake" else storage_at(tmp_path / "flow2api.db", clock)
    await made.open()
    yield made
    await made.aclose()


async def all_accounts(storage: Storage) -> list[Account]:
    return [account async for batch in storage.accounts.load() for account in batch]


def logged(storage: Storage, file: Path) -> list[LogEntry]:
    """What stands in the request log of a storage that is closed."""
    if isinstance(storage, FakeStorage):
        return storage.tables.log
    names = [field.name for field in fields(LogEntry)]
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(f"SELECT {', '.join(names)} FROM request_log ORDER BY number").fetchall()
    found = (dict(zip(names, row, strict=True)) for row in rows)
    return [
        LogEntry(**{**one, "at": to_moment(one["at"]), "kind": one["kind"] and MediaKind(one["kind"])}) for one in found
    ]


async def new_changes(storage: Storage, behind: int = 0) -> list[tuple[str, str]]:
    return [(change.what, change.id) for change in await storage.changes.since(behind)]


class TestAccounts:
    async def test_keeps_every_field(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(whole_account(), credentials_of("a"))])

        assert added == replace(whole_account(), id=added.id)
        assert added.id > 0
        assert await storage.accounts.get(added.id) == added
        assert await all_accounts(storage) == [added]

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

        await storage.accounts.save(changed)

        assert await storage.accounts.get(added.id) == changed

    async def test_late_save_does_not_bring_a_removed_account_back(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.accounts.remove(added.id)
        seen = await storage.changes.latest()

        await storage.accounts.save(added)
        await storage.vault.write(added, credentials_of("a"))
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
        await storage.accounts.save(added)
        await storage.vault.write(added, credentials_of("b"))
        await storage.accounts.remove(added.id)

        assert await new_changes(storage) == [("account", "1")] * 4


class TestVault:
    async def test_keeps_secrets_and_times(self, storage: Storage) -> None:
        secrets = Credentials(Secret("s"), Secret("a"), NOW + timedelta(hours=1), NOW)
        (added,) = await storage.accounts.add([(account_of("a"), secrets)])

        assert await storage.vault.read(added.id) == secrets
        assert await storage.vault.read(added.id + 1) is None

    async def test_replaces_secrets_and_account_in_one_step(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(account_of("a"), Credentials(Secret("s"), Secret("a"), NOW, NOW))])
        changed = replace(added, name="renamed")

        await storage.vault.write(changed, Credentials(Secret("t")))

        assert await storage.vault.read(added.id) == Credentials(Secret("t"))
        assert await storage.accounts.get(added.id) == changed
        assert await storage.vault.find([Secret("s"), Secret("t")]) == {Secret("t"): added.id}

    async def test_secrets_go_with_the_account(self, storage: Storage) -> None:
        (added,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.accounts.remove(added.id)

        assert await storage.vault.read(added.id) is None
        assert await storage.vault.find([credentials_of("a").session_token]) == {}

    async def test_finds_which_of_many_session_tokens_are_kept(self, storage: Storage) -> None:
        await storage.accounts.add([(account_of("x"), Credentials(Secret(f"token-{number}"))) for number in range(5)])
        asked = [Secret(f"token-{number}") for number in range(3, 1500)]

        assert await storage.vault.find(asked) == {Secret("token-3"): 4, Secret("token-4"): 5}
        assert await storage.vault.find([]) == {}

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


class TestApiKeys:
    async def test_keeps_every_field(self, storage: Storage) -> None:
        whole = replace(key_of("a"), revoked_at=NOW, last_used_at=NOW + timedelta(seconds=1), tag="t")

        added = await storage.api_keys.add(whole)

        assert added == replace(whole, id=1)
        assert await storage.api_keys.all() == [added]
        assert await storage.api_keys.find(whole.digest) == added
        assert await storage.api_keys.find(b"unknown") is None

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


class TestOperators:
    async def test_keeps_every_field(self, storage: Storage) -> None:
        whole = operator_of("Ada Lovelace", Role.VIEWER)

        added = await storage.operators.add(whole)

        assert added == replace(whole, id=1)
        assert await storage.operators.all() == [added]
        assert await storage.operators.get(1) == added

    async def test_saves_over_what_is_there(self, storage: Storage) -> None:
        added = await storage.operators.add(operator_of("ada"))
        changed = replace(operator_of("eve", Role.OWNER), id=added.id, created_at=NOW + timedelta(hours=1))

        await storage.operators.save(changed)

        assert await storage.operators.all() == [changed]
        assert await storage.operators.find("ada") is None

    async def test_finds_by_name_whatever_its_case(self, storage: Storage) -> None:
        await storage.operators.add(operator_of("bob"))
        added = await storage.operators.add(operator_of("Straße"))

        assert await storage.operators.find("STRASSE") == added
        assert await storage.operators.find("Stra%") is None
        assert await storage.operators.find("") is None
        assert await storage.operators.get(99) is None

    async def test_refuses_a_name_that_is_taken_whatever_its_case(self, storage: Storage) -> None:
        await storage.operators.add(operator_of("Ada"))
        second = await storage.operators.add(operator_of("bob"))

        with pytest.raises(ConflictError, match="'ADA'"):
            await storage.operators.add(operator_of("ADA"))
        with pytest.raises(ConflictError, match="'ada'"):
            await storage.operators.save(replace(second, name="ada"))

        assert [one.name for one in await storage.operators.all()] == ["Ada", "bob"]

    async def test_one_of_many_first_ones_wins(self, storage: Storage) -> None:
        results = await asyncio.gather(
            *(storage.operators.add_first(operator_of(f"{number}")) for number in range(20)), return_exceptions=True
        )

        assert [type(result) for result in results].count(ConflictError) == 19
        (kept,) = await storage.operators.all()
        assert kept in results

    async def test_first_one_is_refused_beside_any_other(self, storage: Storage) -> None:
        await storage.operators.add(operator_of("ada"))

        with pytest.raises(ConflictError, match="an operator already"):
            await storage.operators.add_first(operator_of("bob"))

    async def test_notes_every_change_in_the_feed(self, storage: Storage) -> None:
        first = await storage.operators.add_first(operator_of("ada"))
        await storage.operators.add(operator_of("bob"))
        await storage.operators.save(replace(first, stamp="new"))
        await storage.operators.save(operator_of("gone"))

        assert await new_changes(storage) == [("operator", "1"), ("operator", "2"), ("operator", "1")]


class TestGenerationDirectory:
    async def test_pages_through_everybodys_the_last_one_first(self, storage: Storage) -> None:
        made = [replace(generation_of(f"gen_{number}"), key_id=number % 2) for number in range(5)]
        await storage.generations.add(made)
        first = await storage.generation_directory.page(GenerationFilter(), after=None, limit=3)
        last = await storage.generation_directory.page(GenerationFilter(), after="gen_2", limit=3)

        assert [one.id for one in (*first.items, *last.items)] == ["gen_4", "gen_3", "gen_2", "gen_1", "gen_0"]
        assert (first.has_more, last.has_more) == (True, False)
        assert (await storage.generation_directory.page(GenerationFilter(), after="none", limit=3)).items == ()

    async def test_filters_by_what_a_generation_is(self, storage: Storage) -> None:
        one = replace(generation_of("gen_1"), key_id=7, account_id=3, model="paint", state=State.COMPLETED)
        other = replace(
            generation_of("gen_2"), kind=MediaKind.VIDEO if one.kind is MediaKind.IMAGE else MediaKind.IMAGE
        )
        await storage.generations.add([one, other])

        for wanted in (
            GenerationFilter(key_id=7),
            GenerationFilter(account_id=3),
            GenerationFilter(model="paint"),
            GenerationFilter(state=State.COMPLETED),
            GenerationFilter(kind=one.kind),
            GenerationFilter(kind=one.kind, key_id=7, account_id=3, model="paint", state=State.COMPLETED),
        ):
            found = await storage.generation_directory.page(wanted, after=None, limit=5)
            assert found.items == (one,), wanted


class TestGenerations:
    async def test_keeps_every_field(self, storage: Storage) -> None:
        await storage.generations.add([whole_generation()])

        assert await storage.generations.get("video_whole") == whole_generation()
        assert await storage.generations.get("video_other") is None

    async def test_saves_every_field_that_may_change(self, storage: Storage) -> None:
        whole = whole_generation()
        fixed = {name: getattr(whole, name) for name in ("key_id", "group_id", "body_digest")}
        await storage.generations.add([replace(generation_of("video_whole"), **fixed)])

        assert await storage.generations.save(whole)

        assert await storage.generations.get("video_whole") == whole

    async def test_parts_of_a_request_come_in_the_order_in_which_they_were_added(self, storage: Storage) -> None:
        parts = [replace(generation_of(name), group_id="req") for name in ("gen_c", "gen_a", "gen_b")]
        await storage.generations.add(parts)
        await storage.generations.add([generation_of("gen_other")])

        assert list(await storage.generations.of_group("req")) == parts
        assert list(await storage.generations.of_group("none")) == []

    async def test_adds_all_or_none(self, storage: Storage) -> None:
        await storage.generations.add([generation_of("gen_1")])

        with pytest.raises(ConflictError):
            await storage.generations.add([generation_of("gen_2"), generation_of("gen_1")])

        assert await storage.generations.get("gen_2") is None

    async def test_save_with_an_older_fence_is_refused_whole(self, storage: Storage) -> None:
        await storage.generations.add([replace(generation_of("gen_1"), fence=2)])
        late = replace(generation_of("gen_1"), fence=1, state=State.COMPLETED)

        assert not await storage.generations.save(late, [media_of("med_1")])

        assert await storage.generations.get("gen_1") == replace(generation_of("gen_1"), fence=2)
        assert await storage.media.get(["med_1"]) == []

    async def test_save_with_the_same_or_a_newer_fence_is_taken(self, storage: Storage) -> None:
        await storage.generations.add([replace(generation_of("gen_1"), fence=2)])

        assert await storage.generations.save(replace(generation_of("gen_1"), fence=2, progress=1))
        assert await storage.generations.save(replace(generation_of("gen_1"), fence=3, progress=2))
        assert not await storage.generations.save(replace(generation_of("gen_1"), fence=2, progress=3))

        saved = await storage.generations.get("gen_1")
        assert saved is not None
        assert (saved.fence, saved.progress) == (3, 2)

    async def test_save_of_an_unknown_generation_writes_nothing(self, storage: Storage) -> None:
        assert not await storage.generations.save(generation_of("gen_1"), [media_of("med_1")])

        assert await storage.generations.get("gen_1") is None
        assert await storage.media.get(["med_1"]) == []

    async def test_save_writes_media_in_the_same_step(self, storage: Storage) -> None:
        await storage.generations.add([generation_of("gen_1")])
        await storage.media.add([media_of("med_2")])

        assert await storage.generations.save(replace(generation_of("gen_1"), progress=5), [media_of("med_1")])
        with pytest.raises(ConflictError):
            await storage.generations.save(
                replace(generation_of("gen_1"), progress=9), [media_of("med_3"), media_of("med_2")]
            )

        saved = await storage.generations.get("gen_1")
        assert saved is not None
        assert saved.progress == 5
        assert [media.id for media in await storage.media.get(["med_1", "med_2", "med_3"])] == ["med_1", "med_2"]


class TestPages:
    @pytest.fixture
    async def filled(self, storage: Storage) -> Storage:
        names = [f"video_{number}" for number in range(7)]
        # Two made in the same instant keep the order in which they were added.
        await storage.generations.add([generation_of(name, after_s=number // 2) for number, name in enumerate(names)])
        await storage.generations.add([generation_of("gen_1", kind=MediaKind.IMAGE, after_s=1)])
        await storage.generations.add([replace(generation_of("video_of_another", after_s=1), key_id=2)])
        await storage.generations.add([replace(generation_of("video_of_the_operator", after_s=1), key_id=None)])
        return storage

    @staticmethod
    async def ids(storage: Storage, *, after: str | None = None, limit: int, newest_first: bool = True) -> list[str]:
        page = await storage.generations.page(
            key_id=1, kind=MediaKind.VIDEO, after=after, limit=limit, newest_first=newest_first
        )
        return [*(item.id.removeprefix("video_") for item in page.items), *(["…"] if page.has_more else [])]

    async def test_walks_newest_first(self, filled: Storage) -> None:
        assert await self.ids(filled, limit=3) == ["6", "5", "4", "…"]
        assert await self.ids(filled, limit=3, after="video_4") == ["3", "2", "1", "…"]
        assert await self.ids(filled, limit=3, after="video_1") == ["0"]

    async def test_walks_oldest_first(self, filled: Storage) -> None:
        assert await self.ids(filled, limit=3, newest_first=False) == ["0", "1", "2", "…"]
        assert await self.ids(filled, limit=4, newest_first=False, after="video_2") == ["3", "4", "5", "6"]

    async def test_deleted_ones_are_not_shown_but_mark_a_place(self, filled: Storage) -> None:
        deleted = await filled.generations.get("video_4")
        assert deleted is not None
        await filled.generations.save(replace(deleted, deleted_at=NOW))

        assert await self.ids(filled, limit=3) == ["6", "5", "3", "…"]
        assert await self.ids(filled, limit=2, after="video_4") == ["3", "2", "…"]

    @pytest.mark.parametrize("after", ["video_unknown", "video_of_another", "gen_1"])
    async def test_nothing_is_behind_what_is_not_in_the_list(self, filled: Storage, after: str) -> None:
        assert await self.ids(filled, limit=3, after=after) == []

    async def test_operator_sees_those_without_a_key(self, filled: Storage) -> None:
        page = await filled.generations.page(key_id=None, kind=MediaKind.VIDEO, after=None, limit=5, newest_first=True)

        assert [item.id for item in page.items] == ["video_of_the_operator"]
        assert not page.has_more


class TestLeases:
    """Leases go by the database's clock, so they are made to end in the past instead of being waited for."""

    @staticmethod
    def held(name: str, owner: str | None = "old", seconds: float = 45) -> Generation:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        return replace(generation_of(name), owner=owner, lease_until=None if owner is None else until)

    async def test_takes_over_only_what_nobody_renews(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_ended", seconds=-1), self.held("gen_held")])
        await storage.generations.add([self.held("gen_free", owner=None)])

        taken = await storage.generations.take_over("new", 45, 10)

        assert [generation.id for generation in taken] == ["gen_ended", "gen_free"]
        assert await storage.generations.take_over("third", 45, 10) == []

    async def test_taken_over_has_a_new_owner_lease_and_fence(self, storage: Storage) -> None:
        before = replace(
            self.held("gen_1", seconds=-1), fence=4, rescues=1, state=State.RUNNING, operation=Operation("o", "{}")
        )
        await storage.generations.add([before])

        (taken,) = await storage.generations.take_over("new", 45, 10)

        assert taken.lease_until is not None
        assert timedelta(seconds=40) < taken.lease_until - datetime.now(UTC) < timedelta(seconds=50)
        assert taken == replace(before, owner="new", fence=5, rescues=2, lease_until=taken.lease_until)
        assert await storage.generations.get("gen_1") == taken

    async def test_expired_generations_are_not_listed(self, storage: Storage) -> None:
        kept = replace(self.held("gen_kept"), state=State.COMPLETED, expires_at=datetime.now(UTC) + timedelta(hours=1))
        over = replace(self.held("gen_over"), state=State.COMPLETED, expires_at=datetime.now(UTC) - timedelta(hours=1))
        await storage.generations.add([kept, over])

        page = await storage.generations.page(
            key_id=kept.key_id, kind=kept.kind, after=None, limit=10, newest_first=True
        )

        assert [one.id for one in page.items] == ["gen_kept"]

    async def test_what_was_released_in_order_counts_as_no_rescue(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_1", owner="old")])
        await storage.generations.release("old")

        (taken,) = await storage.generations.take_over("new", 45, 10)

        assert taken.rescues == 0

    async def test_late_write_of_the_old_owner_is_refused(self, storage: Storage) -> None:
        before = self.held("gen_1", seconds=-1)
        await storage.generations.add([before])
        (taken,) = await storage.generations.take_over("new", 45, 10)

        assert not await storage.generations.save(before.completed((), NOW, None))
        assert await storage.generations.save(taken.completed((), NOW, None))

    async def test_never_takes_over_what_has_ended(self, storage: Storage) -> None:
        for state in (State.COMPLETED, State.FAILED, State.CANCELLED):
            await storage.generations.add([replace(self.held(f"gen_{state}", seconds=-1), state=state)])

        assert await storage.generations.take_over("new", 45, 10) == []

    async def test_takes_the_oldest_first_and_no_more_than_asked(self, storage: Storage) -> None:
        for number in (3, 1, 2):
            late = generation_of(f"gen_{number}", after_s=number)
            await storage.generations.add([late])

        assert [each.id for each in await storage.generations.take_over("new", 45, 2)] == ["gen_1", "gen_2"]

    async def test_each_is_taken_by_one_of_many(self, storage: Storage) -> None:
        await storage.generations.add([self.held(f"gen_{number}", seconds=-1) for number in range(30)])

        taken = await asyncio.gather(*(storage.generations.take_over(f"p{number}", 45, 4) for number in range(12)))

        ids = [generation.id for each in taken for generation in each]
        assert sorted(ids) == sorted(f"gen_{number}" for number in range(30))

    async def test_renewal_prolongs_the_leases_of_its_owner_alone(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_1", seconds=-1), self.held("gen_2", "other", seconds=-1)])

        await storage.generations.renew("old", 45)

        assert [each.id for each in await storage.generations.take_over("new", 45, 10)] == ["gen_2"]

    async def test_renewal_counts_what_it_prolongs_and_names_come_on_demand(self, storage: Storage) -> None:
        ended = replace(self.held("gen_3"), state=State.COMPLETED)
        await storage.generations.add([self.held("gen_1"), self.held("gen_2"), ended, self.held("gen_4", "other")])

        assert await storage.generations.renew("old", 45) == 2
        assert set(await storage.generations.held("old")) == {"gen_1", "gen_2"}
        assert await storage.generations.renew("nobody", 45) == 0
        assert list(await storage.generations.held("nobody")) == []

    async def test_renewal_leaves_ended_ones_alone(self, storage: Storage) -> None:
        ended = replace(self.held("gen_1", seconds=-1), state=State.FAILED)
        await storage.generations.add([ended])

        await storage.generations.renew("old", 45)

        assert await storage.generations.get("gen_1") == ended

    async def test_save_with_an_old_copy_does_not_shorten_the_lease(self, storage: Storage) -> None:
        copy = self.held("gen_1", seconds=-1)
        await storage.generations.add([copy])
        await storage.generations.renew("old", 45)

        await storage.generations.save(copy.entering(Phase.SUBMITTING, NOW))

        assert await storage.generations.take_over("new", 45, 10) == []

    async def test_released_ones_are_taken_over_at_once(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_1"), self.held("gen_2", "other")])

        await storage.generations.release("old")

        assert [each.id for each in await storage.generations.take_over("new", 45, 10)] == ["gen_1"]

    async def test_lease_of_no_length_has_ended(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_1")])
        await storage.generations.renew("old", -1)

        assert len(await storage.generations.take_over("new", -1, 10)) == 1
        assert len(await storage.generations.take_over("third", 45, 10)) == 1


class TestClaims:
    @staticmethod
    def claim(clock: FakeClock, group_id: str = "req_gen_1", *, key_id: int | None = 1) -> IdempotencyClaim:
        expires_at = clock.now() + timedelta(hours=24)
        return IdempotencyClaim(key_id, "order-1", b"\x01" * 32, group_id, expires_at)

    @pytest.mark.parametrize("key_id", [1, None])
    async def test_is_found_by_key_and_name(self, storage: Storage, clock: FakeClock, key_id: int | None) -> None:
        claim = self.claim(clock, key_id=key_id)
        await storage.generations.add([generation_of("gen_1")], claim)

        assert await storage.generations.claimed(key_id, "order-1") == claim
        assert await storage.generations.claimed(2, "order-1") is None
        assert await storage.generations.claimed(key_id, "order-2") is None

    @pytest.mark.parametrize("key_id", [1, None])
    async def test_second_one_is_refused_and_nothing_is_stored(
        self, storage: Storage, clock: FakeClock, key_id: int | None
    ) -> None:
        first = self.claim(clock, key_id=key_id)
        await storage.generations.add([generation_of("gen_1")], first)

        with pytest.raises(ConflictError, match="Idempotency-Key"):
            await storage.generations.add([generation_of("gen_2")], self.claim(clock, "req_gen_2", key_id=key_id))

        assert await storage.generations.get("gen_2") is None
        assert await storage.generations.claimed(key_id, "order-1") == first

    async def test_other_keys_may_use_the_same_name(self, storage: Storage, clock: FakeClock) -> None:
        for key_id in (1, 2, None):
            generation = replace(generation_of(f"gen_{key_id}"), key_id=key_id)
            await storage.generations.add([generation], self.claim(clock, key_id=key_id))

    async def test_expired_one_is_forgotten_and_replaced(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([generation_of("gen_1")], self.claim(clock))
        clock.advance(24 * 3600)
        assert await storage.generations.claimed(1, "order-1") is None

        again = self.claim(clock, "req_gen_2")
        await storage.generations.add([generation_of("gen_2")], again)

        assert await storage.generations.claimed(1, "order-1") == again

    async def test_place_of_a_refused_request_is_taken_once(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([generation_of("gen_1")], self.claim(clock))
        again = replace(self.claim(clock, "req_gen_2"), in_place_of="req_gen_1")

        await storage.generations.add([generation_of("gen_2")], again)

        assert await storage.generations.claimed(1, "order-1") == self.claim(clock, "req_gen_2")
        with pytest.raises(ConflictError):
            await storage.generations.add([generation_of("gen_3")], replace(again, group_id="req_gen_3"))
        assert await storage.generations.get("gen_3") is None

    async def test_one_of_fifty_wins(self, storage: Storage, clock: FakeClock) -> None:
        async def ask(number: int) -> bool:
            try:
                await storage.generations.add([generation_of(f"gen_{number}")], self.claim(clock, f"req_gen_{number}"))
            except ConflictError:
                return False
            return True

        won = await asyncio.gather(*(ask(number) for number in range(50)))

        kept = [number for number in range(50) if await storage.generations.get(f"gen_{number}")]
        claim = await storage.generations.claimed(1, "order-1")
        assert kept == [number for number, has_won in enumerate(won) if has_won]
        assert claim is not None
        assert [claim.group_id] == [f"req_gen_{number}" for number in kept]

    async def test_violation_by_the_generation_gives_the_claim_back(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([generation_of("gen_1")])

        with pytest.raises(ConflictError):
            await storage.generations.add([generation_of("gen_1")], self.claim(clock))

        assert await storage.generations.claimed(1, "order-1") is None


class TestRepeats:
    @staticmethod
    def asked(name: str, **changes: object) -> Generation:
        return replace(generation_of(name), **{"body_digest": b"\x02" * 32, "key_id": 1, **changes})  # type: ignore[arg-type]

    @staticmethod
    async def found(storage: Storage, clock: FakeClock, key_id: int | None = 1) -> list[str]:
        since = clock.now() - timedelta(minutes=3)
        return [one.id for one in await storage.generations.repeated(key_id, b"\x02" * 32, ended_since=since)]

    @pytest.mark.parametrize("key_id", [1, None])
    async def test_unfinished_request_is_found_by_its_body(
        self, storage: Storage, clock: FakeClock, key_id: int | None
    ) -> None:
        await storage.generations.add([self.asked("gen_1", key_id=key_id), generation_of("gen_2")])
        assert await self.found(storage, clock, key_id) == ["gen_1"]
        assert await self.found(storage, clock, 2) == []
        assert await storage.generations.repeated(key_id, b"\x03" * 32, ended_since=clock.now()) == []

    async def test_all_parts_of_the_newest_are_found(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([self.asked("gen_1", group_id="old")])
        await storage.generations.add([self.asked("gen_2", group_id="new"), self.asked("gen_3", group_id="new")])
        assert await self.found(storage, clock) == ["gen_2", "gen_3"]

    async def test_ended_ones_are_found_for_a_while(self, storage: Storage, clock: FakeClock) -> None:
        ended_at = clock.now()
        await storage.generations.add([self.asked("gen_1").completed((), ended_at, None)])
        clock.advance(179)
        assert await self.found(storage, clock) == ["gen_1"]
        clock.advance(2)
        assert await self.found(storage, clock) == []

    async def test_deleted_one_is_not_found(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([self.asked("gen_1").cancelled(clock.now()).changed(deleted_at=clock.now())])
        assert await self.found(storage, clock) == []


class TestMedia:
    async def test_keeps_every_field(self, storage: Storage) -> None:
        await storage.media.add([whole_media()])

        assert await storage.media.get(["med_whole"]) == [whole_media()]

    async def test_gives_them_in_the_order_asked_for(self, storage: Storage) -> None:
        names = [f"med_{number:04}" for number in range(1200)]
        await storage.media.add([media_of(name) for name in names])

        asked = [*reversed(names), "med_unknown", names[5]]

        assert [media.id for media in await storage.media.get(asked)] == [*reversed(names), names[5]]
        assert await storage.media.get([]) == []

    async def test_expired_come_oldest_first(self, storage: Storage) -> None:
        for number in (3, 1, 2, 4):
            await storage.media.add([media_of(f"med_{number}", expires_at=NOW + timedelta(seconds=number))])
        await storage.media.add([media_of("med_for_ever")])

        expired = await storage.media.expired(NOW + timedelta(seconds=3), 10)

        assert [media.id for media in expired] == ["med_1", "med_2", "med_3"]
        assert [media.id for media in await storage.media.expired(NOW + timedelta(days=1), 2)] == ["med_1", "med_2"]

    async def test_removal_tells_which_bytes_nobody_refers_to(self, storage: Storage) -> None:
        await storage.media.add([media_of("med_1", sha256="aa"), media_of("med_2", sha256="aa")])
        await storage.media.add([media_of("med_3", sha256="bb")])

        assert list(await storage.media.remove(["med_1", "med_3", "med_unknown"])) == ["bb"]
        assert list(await storage.media.remove(["med_2"])) == ["aa"]
        assert list(await storage.media.remove(["med_2"])) == []
        assert await storage.media.get(["med_1", "med_2", "med_3"]) == []

    async def test_tells_which_bytes_somebody_refers_to(self, storage: Storage) -> None:
        await storage.media.add([media_of("med_1", sha256="aa"), media_of("med_2", sha256="aa")])
        await storage.media.add([media_of("med_3", sha256="bb")])

        many = [f"{number:064}" for number in range(1200)]
        assert await storage.media.named(["aa", "cc", *many, "bb"]) == {"aa", "bb"}
        assert await storage.media.named([]) == frozenset()

    async def test_refuses_an_id_that_is_there(self, storage: Storage) -> None:
        await storage.media.add([media_of("med_1")])

        with pytest.raises(ConflictError):
            await storage.media.add([media_of("med_2"), media_of("med_1")])

        assert await storage.media.get(["med_2"]) == []


class TestChangeFeed:
    async def test_begins_with_nothing(self, storage: Storage) -> None:
        assert await storage.changes.latest() == 0
        assert list(await storage.changes.since(0)) == []

    async def test_numbers_grow_and_nothing_is_told_twice(self, storage: Storage) -> None:
        await storage.options.write({"policy": "random"}, "operator")
        await storage.accounts.add([(account_of("a"), credentials_of("a")), (account_of("b"), credentials_of("b"))])

        changes = await storage.changes.since(0)

        assert changes == [
            Change(1, "options", "policy", is_own=True),
            Change(2, "account", "1", is_own=True),
            Change(3, "account", "2", is_own=True),
        ]
        assert await storage.changes.latest() == 3
        assert list(await storage.changes.since(0, limit=2)) == changes[:2]
        assert list(await storage.changes.since(2)) == changes[2:]
        assert list(await storage.changes.since(3)) == []


class TestOptions:
    async def test_keeps_json_values(self, storage: Storage) -> None:
        values = {
            "a": 1,
            "b": 2.5,
            "c": "text",
            "d": True,
            "e": ["x", 1],
            "f": {"g": None},
            "h": 0,
            "i": "",
            "j": False,
        }

        await storage.options.write(values, "operator")

        assert await storage.options.read() == values

    async def test_none_goes_back_to_the_default(self, storage: Storage) -> None:
        await storage.options.write({"a": 1, "b": 2}, "operator")
        await storage.options.write({"a": None, "c": None}, "operator")
        await storage.options.write({}, "operator")

        assert await storage.options.read() == {"b": 2}

    async def test_last_write_counts(self, storage: Storage) -> None:
        for value in (1, 2, 3):
            await storage.options.write({"a": value}, "operator")

        assert await storage.options.read() == {"a": 3}


class TestWhole:
    async def test_journal_takes_entries_without_waiting_and_has_all_of_them_in_the_end(
        self, storage: Storage, tmp_path: Path
    ) -> None:
        entries = [
            LogEntry(NOW, "req", 1, "images", "m", 1, f"gen_{number}", "completed", None, 12, MediaKind.IMAGE)
            for number in range(1500)
        ]
        failed = LogEntry(NOW, "req", None, "videos", "v", None, None, "failed", "upstream_timeout", 5)

        for entry in (*entries, failed):
            storage.journal.note(entry)
        await storage.aclose()

        assert logged(storage, tmp_path / "flow2api.db") == [*entries, failed]

    async def test_ping_is_silent_while_it_can_write(self, storage: Storage) -> None:
        await storage.ping()


class TestPastRequests:
    async def test_tells_a_span_of_time_in_the_order_of_coming(self, storage: Storage) -> None:
        minute = timedelta(minutes=1)
        for number, offset in enumerate((-1, 0, 3, 2, 5)):
            came = START + offset * minute
            given = (Input("media_1", InputRole.START),) if number == 1 else ()
            await storage.generations.add(
                [
                    GenerationFactory.build(
                        id=f"video_{number}",
                        created_at=came,
                        inputs=given,
                        spec_name=f"film-{number}",
                        started_at=came + minute if number < 3 else None,
                        ended_at=came + 3 * minute if number < 2 else None,
                        key_id=number,
                    )
                ]
            )
        found = [one async for batch in storage.past_requests.between(START, START + 5 * minute) for one in batch]
        assert found == [
            PastRequest(START, "film-1", 1, "media_1", 120.0),
            PastRequest(START + 2 * minute, "film-3", 3, None, None),
            PastRequest(START + 3 * minute, "film-2", 2, None, None),
        ]

    async def test_tells_nothing_of_an_empty_day(self, storage: Storage) -> None:
        assert [batch async for batch in storage.past_requests.between(START, START + timedelta(days=1))] == []


class TestHealth:
    async def kept(self, storage: Storage, events: list[HealthEvent]) -> None:
        """Hand them over, and wait until they can be read."""
        for event in events:
            storage.health.note(event)
        async with asyncio.timeout(10):
            while not (await storage.health.page(events[-1].account_id, limit=1)).items:
                await asyncio.sleep(0.02)

    async def test_keeps_every_field(self, storage: Storage) -> None:
        event = HealthEvent(
            7,
            NOW,
            HealthKind.PROBATION_FAILED,
            RestReason.ERROR_STREAK,
            "film",
            CallKind.UPLOAD,
            NOW + timedelta(minutes=5),
            "500: ärger",
            "ada",
        )
        await self.kept(storage, [event, HealthEvent(8, NOW, HealthKind.ADDED)])

        (found,) = (await storage.health.page(7, limit=10)).items
        assert found.number > 0
        assert replace(found, number=0) == event
        (plain,) = (await storage.health.page(8, limit=10)).items
        assert replace(plain, number=0) == HealthEvent(8, NOW, HealthKind.ADDED)

    async def test_pages_through_one_account_the_latest_first(self, storage: Storage) -> None:
        events = [
            HealthEvent(1 + number % 2, NOW, HealthKind.ACCESS_RENEWED, cause=str(number)) for number in range(20)
        ]
        await self.kept(storage, [*events, HealthEvent(3, NOW, HealthKind.ADDED)])

        seen, before = list[str](), None
        while True:
            page = await storage.health.page(2, before=before, limit=4)
            seen += [event.cause for event in page.items]
            if not page.has_more:
                break
            before = page.items[-1].number

        assert seen == [str(number) for number in range(19, 0, -2)]
        assert (await storage.health.page(9, limit=4)).items == ()

    async def test_forgets_what_is_older(self, storage: Storage) -> None:
        ages = [timedelta(days=days) for days in (31, 30, 29)]
        events = [HealthEvent(1, NOW - age, HealthKind.ACCESS_RENEWED, cause=str(age.days)) for age in ages]
        await self.kept(storage, [*events, HealthEvent(2, NOW, HealthKind.ADDED)])

        assert await storage.health.forget(NOW - timedelta(days=30)) == 1
        assert [event.cause for event in (await storage.health.page(1, limit=9)).items] == ["29", "30"]
        assert await storage.health.forget(NOW - timedelta(days=30)) == 0
