"""What every storage promises about sessions, tries to sign in, the audit log and looking through accounts."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flow2api.domain.account import Account, AccountStatus, CallKind, Capacity, Rest, RestReason
from flow2api.domain.audit import Actor, AuditAction, AuditEntry, AuditFilter
from flow2api.domain.errors import ConflictError
from flow2api.domain.operator import Role
from flow2api.domain.ports.account_directory import AccountFilter
from flow2api.domain.ports.storage import Storage
from flow2api.domain.session import LONGEST_IDLE, LONGEST_SESSION, OperatorSession
from flow2api.domain.throttle import FREE_TRIES, LONGEST_PAUSE
from tests.fakes.clock import FakeClock
from tests.fakes.storage import FakeStorage
from tests.integration.persistence.databases import account_of, credentials_of, key_of, operator_of, storage_at

ADA = Actor(name="ada", door="admin_api", operator_id=1, address="192.0.2.7", request_id="req_1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture(params=["fake", "sqlite"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Storage]:
    made: Storage = FakeStorage(clock) if request.param == "fake" else storage_at(tmp_path / "flow2api.db", clock)
    await made.open()
    yield made
    await made.aclose()


def entry_of(clock: FakeClock, action: str = AuditAction.ACCOUNT_CHANGED, subject: str | None = None) -> AuditEntry:
    return AuditEntry(at=clock.now(), actor=ADA, action=action, subject=subject, details={"after": {"remark": "é"}})


def session_of(clock: FakeClock, name: bytes, operator_id: int, stamp: str = "stamp of ada") -> OperatorSession:
    now = clock.now()
    return OperatorSession(
        id=f"ses_{name.decode()}",
        digest=name.ljust(32, b"."),
        operator_id=operator_id,
        stamp=stamp,
        created_at=now,
        seen_at=now,
        expires_at=now + LONGEST_SESSION,
        address="192.0.2.7",
        agent="curl/8",
    )


async def actions(storage: Storage) -> list[tuple[str, str | None]]:
    return [(entry.action, entry.subject) for entry in reversed(await storage.audit_log.page(before=None, limit=100))]


class TestOperators:
    async def test_removed_one_is_gone_with_his_sessions(self, storage: Storage, clock: FakeClock) -> None:
        await storage.operators.add(operator_of("ada", Role.OWNER))
        bob = await storage.operators.add(operator_of("bob"))
        session = session_of(clock, b"one", bob.id)
        await storage.sessions.add(session)

        await storage.operators.remove(bob.id, entry_of(clock, AuditAction.OPERATOR_REMOVED, str(bob.id)))
        await storage.operators.remove(bob.id, entry_of(clock, AuditAction.OPERATOR_REMOVED, str(bob.id)))

        assert [one.name for one in await storage.operators.all()] == ["ada"]
        assert await storage.sessions.find(session.digest) is None
        assert await actions(storage) == [(AuditAction.OPERATOR_REMOVED, str(bob.id))]
        again = await storage.operators.add(operator_of("bob"))
        assert again.id != bob.id

    async def test_last_owner_stays(self, storage: Storage, clock: FakeClock) -> None:
        ada = await storage.operators.add(operator_of("ada", Role.OWNER))
        bob = await storage.operators.add(operator_of("bob"))

        for change in (storage.operators.remove(ada.id), storage.operators.save(replace(ada, role=Role.VIEWER))):
            with pytest.raises(ConflictError, match="Somebody has to own"):
                await change
        await storage.operators.save(replace(bob, role=Role.OWNER))
        await storage.operators.save(replace(ada, role=Role.VIEWER))

        assert [one.role for one in await storage.operators.all()] == [Role.VIEWER, Role.OWNER]

    async def test_of_two_owners_who_remove_each_other_one_stays(self, storage: Storage) -> None:
        owners = [await storage.operators.add(operator_of(name, Role.OWNER)) for name in ("ada", "bob")]

        outcomes = await asyncio.gather(*[storage.operators.remove(one.id) for one in owners], return_exceptions=True)

        assert [type(one) for one in outcomes if one is not None] == [ConflictError]
        assert len(await storage.operators.all()) == 1


class TestSessions:
    @pytest.fixture
    async def session(self, storage: Storage, clock: FakeClock) -> OperatorSession:
        ada = await storage.operators.add(operator_of("ada"))
        session = session_of(clock, b"one", ada.id)
        await storage.sessions.add(session)
        return session

    async def test_keeps_every_field(self, storage: Storage, session: OperatorSession) -> None:
        assert await storage.sessions.find(session.digest) == session
        assert await storage.sessions.find(b"other") is None

    async def test_lists_those_of_an_operator_newest_first(
        self, storage: Storage, session: OperatorSession, clock: FakeClock
    ) -> None:
        clock.advance(1)
        newer = session_of(clock, b"two", session.operator_id)
        await storage.sessions.add(newer)

        assert await storage.sessions.of_operator(session.operator_id) == [newer, session]
        assert list(await storage.sessions.of_operator(session.operator_id + 1)) == []

    async def test_sign_of_life_never_goes_back(self, storage: Storage, session: OperatorSession) -> None:
        later = session.seen_at + timedelta(minutes=5)
        await storage.sessions.saw(session.digest, later)
        await storage.sessions.saw(session.digest, session.seen_at)

        assert await storage.sessions.find(session.digest) == replace(session, seen_at=later)

    async def test_goes_on_under_another_stamp(self, storage: Storage, session: OperatorSession) -> None:
        await storage.sessions.restamp(session.digest, "new")

        assert await storage.sessions.find(session.digest) == replace(session, stamp="new")

    async def test_ends_once_and_writes_its_entry_once(
        self, storage: Storage, session: OperatorSession, clock: FakeClock
    ) -> None:
        entry = entry_of(clock, AuditAction.SIGNED_OUT)

        assert await storage.sessions.remove(session.digest, entry)
        assert not await storage.sessions.remove(session.digest, entry)
        assert await storage.sessions.find(session.digest) is None
        assert await actions(storage) == [(AuditAction.SIGNED_OUT, None)]


class TestSignInTries:
    async def test_a_few_are_free_then_each_waits_twice_as_long(self, storage: Storage, clock: FakeClock) -> None:
        pauses = []
        for _ in range(FREE_TRIES + 12):
            while pause := await storage.sign_in_tries.begin([b"name"], clock.now()):
                pauses.append(pause.total_seconds())
                clock.advance(pause.total_seconds())

        assert pauses[:4] == [2, 4, 8, 16]
        assert pauses[-1] == LONGEST_PAUSE.total_seconds()

    async def test_refused_try_counts_for_nobody(self, storage: Storage, clock: FakeClock) -> None:
        for _ in range(FREE_TRIES):
            assert not await storage.sign_in_tries.begin([b"name"], clock.now())

        assert await storage.sign_in_tries.begin([b"name", b"address"], clock.now())
        for _ in range(FREE_TRIES):
            assert not await storage.sign_in_tries.begin([b"address"], clock.now())

    async def test_many_at_once_get_no_more_than_one_after_the_other(self, storage: Storage, clock: FakeClock) -> None:
        tries = (storage.sign_in_tries.begin([b"name", b"address"], clock.now()) for _ in range(50))

        assert [pause for pause in await asyncio.gather(*tries) if not pause] == [timedelta(0)] * FREE_TRIES

    async def test_starts_anew_when_forgotten(self, storage: Storage, clock: FakeClock) -> None:
        for _ in range(FREE_TRIES + 1):
            await storage.sign_in_tries.begin([b"name"], clock.now())

        await storage.sign_in_tries.forget([b"name"])

        assert not await storage.sign_in_tries.begin([b"name"], clock.now())

    async def test_nobody_is_locked_out_for_good(self, storage: Storage, clock: FakeClock) -> None:
        for _ in range(FREE_TRIES + 20):
            clock.advance((await storage.sign_in_tries.begin([b"name"], clock.now())).total_seconds())
        clock.advance(2 * 3600)

        for _ in range(FREE_TRIES):
            assert not await storage.sign_in_tries.begin([b"name"], clock.now())


class TestAuditLog:
    async def test_keeps_every_field(self, storage: Storage, clock: FakeClock) -> None:
        entry = entry_of(clock, AuditAction.SECRETS_REVEALED, "7")
        await storage.audit_log.note(entry)

        (kept,) = await storage.audit_log.page(before=None, limit=10)
        assert kept == replace(entry, number=kept.number)
        assert kept.number > 0

    async def test_is_read_backwards_page_by_page(self, storage: Storage, clock: FakeClock) -> None:
        for number in range(5):
            await storage.audit_log.note(entry_of(clock, subject=str(number)))

        first = await storage.audit_log.page(before=None, limit=3)
        second = await storage.audit_log.page(before=first[-1].number, limit=3)
        assert [entry.subject for entry in (*first, *second)] == ["4", "3", "2", "1", "0"]

    async def test_goes_along_with_each_change(self, storage: Storage, clock: FakeClock) -> None:
        (account,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))], entry_of(clock, "1 add"))
        await storage.accounts.add([], entry_of(clock, "none added"))
        await storage.accounts.add(
            [(account_of("b"), credentials_of("b")), (account_of("c"), credentials_of("c"))],
            entry_of(clock, "2 import"),
        )
        await storage.accounts.save(account, entry_of(clock, "3 save", "1"))
        await storage.vault.write(account, credentials_of("d"), entry_of(clock, "4 write", "1"))
        await storage.accounts.remove(account.id, entry_of(clock, "5 remove", "1"))
        key = await storage.api_keys.add(key_of("laptop"), entry_of(clock, "6 key"))
        await storage.api_keys.save(key, entry_of(clock, "7 key", "laptop"))
        ada = await storage.operators.add_first(operator_of("ada"), entry_of(clock, "8 first"))
        await storage.operators.add(operator_of("bob"), entry_of(clock, "9 operator"))
        await storage.operators.save(ada, entry_of(clock, "10 operator", "ada"))
        await storage.options.write({"policy": "random"}, "ada", entry_of(clock, "11 options"))

        assert await actions(storage) == [
            ("1 add", "1"),
            ("2 import", "2-3"),
            ("3 save", "1"),
            ("4 write", "1"),
            ("5 remove", "1"),
            ("6 key", "1"),
            ("7 key", "laptop"),
            ("8 first", "1"),
            ("9 operator", "2"),
            ("10 operator", "ada"),
            ("11 options", None),
        ]

    async def test_tells_nothing_of_what_was_not_done(self, storage: Storage, clock: FakeClock) -> None:
        gone = replace(account_of("gone"), id=7)
        await storage.accounts.save(gone, entry_of(clock))
        await storage.vault.write(gone, credentials_of("a"), entry_of(clock))
        await storage.accounts.remove(7, entry_of(clock))
        await storage.operators.add(operator_of("ada"))
        with pytest.raises(ConflictError):
            await storage.operators.add(operator_of("Ada"), entry_of(clock))

        assert await actions(storage) == []

    async def test_is_filtered_by_everything_that_an_entry_says(self, storage: Storage, clock: FakeClock) -> None:
        began = clock.now()
        for action, name, subject in (("key.created", "ada", "1"), ("key.revoked", "bob", "1"), ("Key.x", "ada", None)):
            actor = replace(ADA, name=name)
            await storage.audit_log.note(AuditEntry(at=clock.now(), actor=actor, action=action, subject=subject))
            clock.advance(60)

        for wanted, numbers in (
            (AuditFilter(action="key"), [2, 1]),
            (AuditFilter(action="key.r"), [2]),
            (AuditFilter(action="%"), []),
            (AuditFilter(actor="ada"), [3, 1]),
            (AuditFilter(subject="1", actor="bob"), [2]),
            (AuditFilter(since=began + timedelta(seconds=60)), [3, 2]),
            (AuditFilter(until=began + timedelta(seconds=60)), [1]),
            (AuditFilter(), [3, 2, 1]),
        ):
            found = await storage.audit_log.page(before=None, limit=5, wanted=wanted)
            assert [entry.number for entry in found] == numbers, wanted
        ada = AuditFilter(actor="ada")
        assert [one.number for one in await storage.audit_log.page(before=3, limit=5, wanted=ada)] == [1]


class TestAccountDirectory:
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
        await storage.accounts.save(accounts[0].resting(RestReason.MANUAL, clock.now()))
        await storage.vault.write(replace(accounts[7], rests=()), credentials_of("x"))

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


async def test_audit_log_cannot_be_changed_even_by_sql(tmp_path: Path, clock: FakeClock) -> None:
    storage = storage_at(tmp_path / "flow2api.db", clock)
    await storage.open()
    await storage.audit_log.note(entry_of(clock))
    await storage.aclose()

    with closing(sqlite3.connect(tmp_path / "flow2api.db")) as connection:
        for statement in ("UPDATE audit_log SET actor = 'eve'", "DELETE FROM audit_log"):
            with pytest.raises(sqlite3.IntegrityError, match="the audit log only grows"):
                connection.execute(statement)


async def test_change_is_refused_when_its_entry_cannot_be_written(tmp_path: Path, clock: FakeClock) -> None:
    storage = storage_at(tmp_path / "flow2api.db", clock)
    await storage.open()
    (account,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
    bob = await storage.operators.add(replace(operator_of("bob"), role=Role.VIEWER))
    with closing(sqlite3.connect(tmp_path / "flow2api.db")) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END")
        connection.commit()
    try:
        for change in (
            storage.accounts.save(replace(account, remark="changed"), entry_of(clock)),
            storage.accounts.remove(account.id, entry_of(clock)),
            storage.options.write({"policy": "random"}, "ada", entry_of(clock)),
            storage.operators.remove(bob.id, entry_of(clock)),
        ):
            with pytest.raises(ConflictError):
                await change

        assert await storage.accounts.get(account.id) == account
        assert await storage.options.read() == {}
        assert await storage.operators.all() == [bob]
    finally:
        await storage.aclose()


async def test_upkeep_forgets_sessions_and_tries_that_count_for_nothing(tmp_path: Path, clock: FakeClock) -> None:
    storage = storage_at(tmp_path / "flow2api.db", clock)
    await storage.open()
    ada = await storage.operators.add(operator_of("ada"))
    await storage.sessions.add(session_of(clock, b"idle", ada.id))
    await storage.sign_in_tries.begin([b"name"], clock.now())
    clock.advance(LONGEST_IDLE.total_seconds())
    await storage.sessions.add(session_of(clock, b"other stamp", ada.id, "former"))
    await storage.sessions.add(session_of(clock, b"fresh", ada.id))
    await storage.aclose()

    again = storage_at(tmp_path / "flow2api.db", clock)
    await again.open()
    try:
        assert [session.id for session in await again.sessions.of_operator(ada.id)] == ["ses_fresh"]
    finally:
        await again.aclose()
    with closing(sqlite3.connect(tmp_path / "flow2api.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sign_in_tries").fetchone() == (0,)
