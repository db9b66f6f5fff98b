import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from flow2api.domain.account import Account, Capacity, Credentials, RestReason
from flow2api.domain.audit import Actor
from flow2api.domain.errors import StorageFullError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import Changed
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_accounts import ImportAccounts, ImportedAccount, ImportReport, RowFate, RowOutcome
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.planting import plant, plant_secrets
from tests.unit.domain.usecases.stage import KINDS

IMAGE, VIDEO = MediaKind.IMAGE, MediaKind.VIDEO


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(clock: FakeClock) -> FakeStorage:
    return FakeStorage(clock)


@pytest.fixture
def take_in(storage: FakeStorage, clock: FakeClock) -> ImportAccounts:
    return ImportAccounts(storage.accounts, storage.vault, clock)


def token(name: str) -> Secret:
    return Secret(f"eyJ{name}-".ljust(300, "x"))


def row(name: str, /, **fields: object) -> ImportedAccount:
    return replace(
        ImportedAccount(session_token=token(name), email=f"{name}@example.com"),
        **fields,  # type: ignore[arg-type]
    )


async def kept(storage: FakeStorage, number: int) -> Account:
    account = await storage.accounts.get(number)
    assert account is not None
    return account


async def test_new_rows_become_accounts_that_wait_to_be_warmed(take_in: ImportAccounts, storage: FakeStorage) -> None:
    report = await take_in([row("a", limits={IMAGE: 2, VIDEO: 0}, tags=frozenset({"eu"})), row("b", is_enabled=False)])

    assert report == ImportReport(added=2, updated=0, unchanged=0, errors=())
    first, second = await kept(storage, 1), await kept(storage, 2)
    assert (first.email, first.name, first.capacity, first.tags) == (
        "a@example.com",
        "a@example.com",
        Capacity(2, 0),
        frozenset({"eu"}),
    )
    assert not first.is_warm
    assert first.rests == ()
    assert second.rest_of(RestReason.MANUAL) is not None
    assert await storage.vault.read(1) == Credentials(token("a"))


async def test_the_same_import_again_changes_nothing(take_in: ImportAccounts, storage: FakeStorage) -> None:
    rows = [row("a", limits={IMAGE: 2}), row("b", is_enabled=False), row("c", email=None)]
    await take_in(rows)
    writes = storage.tables.writes

    assert await take_in(rows) == ImportReport(added=0, updated=0, unchanged=3, errors=())
    assert storage.tables.writes == writes


async def test_known_address_gets_the_new_session_token(
    take_in: ImportAccounts, storage: FakeStorage, clock: FakeClock
) -> None:
    await take_in([row("a", limits={VIDEO: 3})])
    ended = replace(
        (await kept(storage, 1)).resting(RestReason.AUTH_EXPIRED, clock.now()),
        workspace="w",
        access_expires_at=START + timedelta(hours=1),
        access_obtained_at=START,
    )
    await plant_secrets(
        storage.vault, ended, Credentials(token("a"), Secret("access"), START + timedelta(hours=1), START)
    )

    report = await take_in([row("new", email="A@example.com")])

    assert report == ImportReport(added=0, updated=1, unchanged=0, errors=())
    renewed = await kept(storage, 1)
    assert await storage.vault.read(1) == Credentials(token("new"))
    assert (renewed.rests, renewed.access_expires_at, renewed.workspace) == ((), None, "w")
    assert renewed.capacity == Capacity(None, 3), "what the row does not say stays"


async def test_known_session_token_gets_what_the_row_says(take_in: ImportAccounts, storage: FakeStorage) -> None:
    await take_in([row("a", limits={IMAGE: 1, VIDEO: 1}, name="old", remark="stays")])

    report = await take_in([row("a", limits={IMAGE: None}, name="new", is_enabled=False)])

    assert report.updated == 1
    changed = await kept(storage, 1)
    assert (changed.capacity, changed.name, changed.remark) == (Capacity(None, 1), "new", "stays")
    assert changed.rest_of(RestReason.MANUAL) is not None
    assert await storage.vault.read(1) == Credentials(token("a"))


async def test_enabling_by_import_lifts_the_hand_of_the_operator_only(
    take_in: ImportAccounts, storage: FakeStorage, clock: FakeClock
) -> None:
    await take_in([row("a", is_enabled=False)])
    await plant(storage.accounts, (await kept(storage, 1)).resting(RestReason.UNUSABLE, clock.now()))

    await take_in([row("a", is_enabled=True)])

    assert [rest.reason for rest in (await kept(storage, 1)).rests] == [RestReason.UNUSABLE]


async def test_address_that_the_upstream_told_is_not_overwritten(take_in: ImportAccounts, storage: FakeStorage) -> None:
    await take_in([row("a", email="told@example.com")])

    report = await take_in([row("a", email="other@example.com")])

    assert report.unchanged == 1
    assert (await kept(storage, 1)).email == "told@example.com"


async def test_address_is_filled_in_where_there_was_none(take_in: ImportAccounts, storage: FakeStorage) -> None:
    await take_in([row("a", email=None)])

    assert (await take_in([row("a")])).updated == 1
    assert (await kept(storage, 1)).email == "a@example.com"


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ([row("a"), row("a")], {}),
        ([row("a"), row("a", email=None)], {}),
        ([row("a"), row("a", email="b@example.com")], {2: "Row 1 has the same session token under another address."}),
        ([row("a"), row("b", email="A@example.com")], {2: "Row 1 has the same address with another session token."}),
        ([row("a"), row("b", email="a@example.com", upstream="other")], {}),
    ],
)
async def test_rows_about_the_same_account(
    take_in: ImportAccounts, rows: Sequence[ImportedAccount], problems: dict[int, str]
) -> None:
    report = await take_in(rows)

    assert dict(report.errors) == problems
    assert report.added + report.unchanged + len(report.errors) == 2


async def test_doubles_are_found_across_parts(take_in: ImportAccounts, storage: FakeStorage) -> None:
    rows = [row(f"n{number}") for number in range(2500)]
    rows[2000] = rows[3]
    rows[2400] = row("other", email="n5@example.com")

    report = await take_in(rows)

    assert (report.added, report.unchanged) == (2498, 1)
    assert report.errors == ((2401, "Row 6 has the same address with another session token."),)
    assert len(storage.tables.accounts) == 2498


async def test_row_whose_token_and_address_lead_to_two_accounts_is_refused(take_in: ImportAccounts) -> None:
    await take_in([row("a"), row("b")])

    report = await take_in([row("a", email="b@example.com")])

    assert dict(report.errors) == {1: "The session token is that of account 1, but the address that of account 2."}


async def test_two_rows_never_change_one_account(take_in: ImportAccounts, storage: FakeStorage) -> None:
    await take_in([row("a")])

    report = await take_in([row("new", email="a@example.com"), row("a", email=None, name="late")])

    assert (report.updated, report.errors) == (1, ((2, "Row 1 is about the same account (1)."),))
    assert await storage.vault.read(1) == Credentials(token("new"))


async def test_bad_rows_stop_nothing_and_tell_no_secret(take_in: ImportAccounts) -> None:
    bad = ImportedAccount(session_token=Secret("canary"))

    report = await take_in(["It could not be read.", bad, row("a", limits={IMAGE: -1}), row("b", email="?"), row("c")])

    assert report.added == 1
    assert [number for number, _ in report.errors] == [1, 2, 3, 4]
    assert "canary" not in str(report)


async def test_progress_is_told_after_each_part(take_in: ImportAccounts) -> None:
    told: list[int] = []

    await take_in([row(f"n{number}") for number in range(1500)], told.append)

    assert told == [1000, 1500]


async def test_a_database_that_refuses_is_told(take_in: ImportAccounts, storage: FakeStorage) -> None:
    await take_in([row("a")])
    storage.tables.fault = StorageFullError("There is no room left.")

    for rows in ([row("b")], [row("new", email="a@example.com")], [row("a", name="other")]):
        with pytest.raises(StorageFullError):
            await take_in(rows)


async def test_places_without_a_row_count_for_the_numbers_only(take_in: ImportAccounts) -> None:
    report = await take_in([None, row("a"), None, row("b", session_token=Secret("short"))])

    assert (report.added, report.updated, report.unchanged) == (1, 0, 0)
    assert [number for number, _ in report.errors] == [4]


async def test_each_change_has_its_audit_entry(take_in: ImportAccounts, storage: FakeStorage) -> None:
    actor = Actor(name="ada", door="command_line")
    await take_in([row("a"), row("b")], actor=actor)

    await take_in([row("a", name="new"), row("c", email="b@example.com"), row("a2", email=None)], actor=actor)

    entries = [(entry.action, entry.subject, dict(entry.details)) for entry in storage.tables.audit]
    assert entries == [
        ("account.imported", "1-2", {"added": 2}),
        ("account.imported", "3", {"added": 1}),
        ("account.imported", "1", {}),
        ("account.imported", "2", {"after": {"session_token": "new"}}),
    ]
    assert {entry.actor for entry in storage.tables.audit} == {actor}


async def test_change_is_made_to_the_account_as_it_is_by_then(storage: FakeStorage, clock: FakeClock) -> None:
    held: list[int] = []
    added: list[Account] = []
    changed: list[int] = []

    async def store(account_id: int, write: Callable[[], Awaitable[Changed | None]]) -> Changed | None:
        held.append(account_id)
        if account_id == 2:
            await storage.accounts.remove(2)
        else:
            await plant(storage.accounts, replace(storage.tables.accounts[1], credits=7))  # the keeper was faster
        return await write()

    take_in = ImportAccounts(
        storage.accounts, storage.vault, clock, store=store, on_added=added.append, on_changed=changed.append
    )
    await take_in([row("a"), row("b")])

    await take_in([row("a", name="new"), row("b", name="removed meanwhile")])

    assert held == [1, 2]
    assert (storage.tables.accounts[1].name, storage.tables.accounts[1].credits) == ("new", 7)
    assert [(account.id, account.name) for account in added] == [(1, "a@example.com"), (2, "b@example.com")]
    assert changed == [1]


async def test_share_of_the_work_comes_along_and_is_checked(take_in: ImportAccounts, storage: FakeStorage) -> None:
    report = await take_in([row("a", weight=7, priority=3), row("b", weight=101), row("c", priority=-1)])

    assert report.errors == ((2, "A weight is a number from 1 to 100."), (3, "A priority is a number from 0 to 1000."))
    account = await kept(storage, 1)
    assert (account.weight, account.priority) == (7, 3)
    await take_in([row("a", name="new")])
    assert (await kept(storage, 1)).weight == 7, "what the row does not say stays"


async def test_change_that_somebody_was_faster_with_is_not_written_again(
    storage: FakeStorage, clock: FakeClock
) -> None:
    async def store(account_id: int, write: Callable[[], Awaitable[Changed | None]]) -> Changed | None:
        await plant(storage.accounts, replace(storage.tables.accounts[account_id], name="new"))
        return await write()

    take_in = ImportAccounts(storage.accounts, storage.vault, clock, store=store)
    await take_in([row("a")])
    writes = storage.tables.writes
    await take_in([row("a", name="new")])
    assert storage.tables.writes == writes + 1


async def test_accounts_that_no_row_is_about_are_not_read(
    take_in: ImportAccounts, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take_in([row("a"), row("b"), row("c")])
    read = list[int]()
    original = storage.accounts.some

    async def some(account_ids: Sequence[int]) -> Mapping[int, Account]:
        read.extend(account_ids)
        return await original(account_ids)

    monkeypatch.setattr(storage.accounts, "some", some)
    monkeypatch.setattr(storage.accounts, "load", None)

    report = await take_in([row("b", remark="bought"), row("d")])

    assert (report.added, report.updated) == (1, 1)
    assert read == [2]


async def test_others_have_their_turn_while_a_part_is_taken_in(storage: FakeStorage, clock: FakeClock) -> None:
    stored, turns = list[int](), list[int]()
    take_in = ImportAccounts(storage.accounts, storage.vault, clock, on_added=lambda account: stored.append(account.id))

    async def look() -> None:
        while True:
            turns.append(len(stored))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await take_in([row(str(number)) for number in range(200)])
    looking.cancel()

    assert len(stored) == 200
    assert max(after - before for before, after in pairwise([*turns, 200])) <= 20


class TestKeys:
    def host(self, key: str, home: str = "https://a.b", **fields: object) -> ImportedAccount:
        row = ImportedAccount(session_token=Secret(key), upstream="hosts", base_url=home)
        return replace(row, **fields)  # type: ignore[arg-type]

    @pytest.fixture
    def take_in(self, storage: FakeStorage, clock: FakeClock) -> ImportAccounts:
        return ImportAccounts(storage.accounts, storage.vault, clock, kinds=KINDS)

    async def test_accounts_of_every_kind_come_in_together(self, take_in: ImportAccounts, storage: FakeStorage) -> None:
        keyed = ImportedAccount(session_token=Secret("k1"), upstream="keyed", name="studio")

        report = await take_in([row("a"), keyed, self.host("k2")])

        assert report == ImportReport(added=3, updated=0, unchanged=0, errors=())
        assert [(one.upstream, one.base_url, one.name) for one in storage.tables.accounts.values()] == [
            ("flow", None, "a@example.com"),
            ("keyed", None, "studio"),
            ("hosts", "https://a.b", ""),
        ]

    async def test_account_is_known_by_its_key(self, take_in: ImportAccounts, storage: FakeStorage) -> None:
        await take_in([self.host("k1")])

        same = await take_in([self.host("k1")])
        other = await take_in([self.host("k1", remark="lent")])

        assert (same.unchanged, other.updated, len(storage.tables.accounts)) == (1, 1, 1)
        assert (await kept(storage, 1)).remark == "lent"

    async def test_key_of_a_known_address_at_another_host_is_to_be_proved_there(
        self, take_in: ImportAccounts, storage: FakeStorage
    ) -> None:
        await take_in([self.host("k1", email="a@example.com")])
        proved = replace(await kept(storage, 1), access_expires_at=START, access_obtained_at=START)
        rested = proved.resting(RestReason.AUTH_EXPIRED, START).resting(RestReason.RATE_LIMITED, START)
        await plant(storage.accounts, rested)

        report = await take_in(
            [self.host("k1", "https://c.d", email="a@example.com")], actor=Actor(name="ada", door="command_line")
        )

        account = await kept(storage, 1)
        assert report.updated == 1
        assert (account.base_url, account.access_expires_at, account.rests) == ("https://c.d", None, ())
        assert storage.tables.audit[-1].details == {"after": {"api_key": "new", "base_url": "https://c.d"}}

    async def test_key_that_somebody_gives_meanwhile_stays_at_its_host(
        self, take_in: ImportAccounts, storage: FakeStorage, clock: FakeClock
    ) -> None:
        async def after_another(account_id: int, write: Callable[[], Awaitable[Changed | None]]) -> Changed | None:
            moved = replace(await kept(storage, account_id), base_url="https://c.d")
            await plant_secrets(storage.vault, moved, Credentials(Secret("k2")))
            return await write()

        await take_in([self.host("k1")])
        late = ImportAccounts(storage.accounts, storage.vault, clock, store=after_another, kinds=KINDS)

        await late([self.host("k1", remark="lent")])

        account = await kept(storage, 1)
        assert (account.base_url, account.remark) == ("https://c.d", "lent")

    async def test_one_key_is_an_account_at_each_place_where_it_is_good(
        self, take_in: ImportAccounts, storage: FakeStorage
    ) -> None:
        keyed = ImportedAccount(session_token=Secret("k1"), upstream="keyed")
        rows = [self.host("k1"), self.host("k1"), self.host("k1", "https://c.d"), keyed]

        first, again = await take_in(rows), await take_in([*rows[1:], replace(keyed, remark="lent")])

        assert (first.added, first.unchanged, first.errors) == (3, 1, ())
        assert (again.added, again.unchanged, again.errors) == (0, 4, ())
        later = await take_in([replace(keyed, remark="lent"), self.host("k1", remark="kept")])
        assert (later.added, later.updated) == (0, 2)
        places = [(*one.place, one.remark) for one in storage.tables.accounts.values()]
        assert places == [("hosts", "https://a.b", "kept"), ("hosts", "https://c.d", ""), ("keyed", None, "lent")]

    async def test_address_with_a_key_that_is_kept_elsewhere_gets_it_as_a_new_one(
        self, take_in: ImportAccounts, storage: FakeStorage
    ) -> None:
        keyed = ImportedAccount(session_token=Secret("k2"), upstream="keyed")
        await take_in([self.host("k1", email="a@example.com"), keyed])
        report = await take_in([self.host("k2", email="a@example.com")])
        assert (report.updated, report.errors) == (1, ())
        assert storage.tables.credentials[1].session_token == Secret("k2")

    async def test_base_url_that_is_missing_or_too_much_is_a_bad_row(self, take_in: ImportAccounts) -> None:
        report = await take_in([self.host("k1", base_url=None), row("a", base_url="https://a.b")])

        assert report.errors == (
            (1, "An account of the upstream hosts needs a base URL."),
            (2, "An account of the upstream flow has no base URL."),
        )


async def test_preview_tells_each_row_and_stores_nothing(take_in: ImportAccounts, storage: FakeStorage) -> None:
    await take_in([row("a"), row("b", tags=frozenset({"eu"}))])
    before = await kept(storage, 1)
    told: list[RowOutcome] = []
    rows: list[ImportedAccount | str | None] = [
        None,
        row("a", session_token=token("fresh"), name="studio"),
        row("b", tags=frozenset({"us"}), is_enabled=False),
        row("c", email=None),
        row("c", email=None),
        row("d", session_token=Secret("short")),
        "unreadable",
        row("c", email="other@example.com"),
    ]

    report = await take_in.preview(rows, told.append, unit="line")

    assert [(one.row, one.fate, one.subject, one.account_id, one.changed) for one in told] == [
        (2, RowFate.UPDATE, "a@example.com", 1, ("secret", "name")),
        (3, RowFate.UPDATE, "b@example.com", 2, ("tags", "rests")),
        (4, RowFate.NEW, "", None, ()),
        (5, RowFate.UNCHANGED, "", None, ()),
        (6, RowFate.INVALID, "d@example.com", None, ()),
        (7, RowFate.INVALID, "", None, ()),
        (8, RowFate.UNCHANGED, "other@example.com", None, ()),
    ]
    assert [one.ending for one in told] == ["xxxx", "xxxx", "xxxx", "xxxx", "", "", "xxxx"]
    assert told[5].problem == "unreadable"
    assert (report.added, report.updated, report.unchanged, len(report.errors)) == (1, 2, 2, 2)
    assert await kept(storage, 1) == before
    assert await storage.accounts.get(3) is None


async def test_preview_names_rows_as_it_is_told(take_in: ImportAccounts) -> None:
    told: list[RowOutcome] = []

    await take_in.preview([row("a"), row("a", session_token=token("b"))], told.append, unit="line")
    await take_in.preview([row("a"), row("a", session_token=token("b"))], told.append)

    assert told[1].problem.startswith("Line 1 has")
    assert told[3].problem.startswith("Row 1 has")


async def test_told_import_says_what_became_of_each_row_once_it_is_stored(
    take_in: ImportAccounts, storage: FakeStorage
) -> None:
    told: list[RowOutcome] = []
    done: list[int] = []
    rows = [row(str(number)) for number in range(300)]

    await take_in([rows[0]])
    report = await take_in.told(rows, told.append, done.append, actor=Actor(name="ada", door="console"))

    assert (report.added, report.unchanged) == (299, 1)
    assert [one.row for one in told] == list(range(1, 301))
    assert told[0].account_id == 1
    assert done == [250, 300]
    assert (await kept(storage, 300)).id == 300
