"""What a storage promises of operators, sessions, tries to sign in, and the audit log."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.audit import AuditAction, AuditEntry, AuditFilter
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError
from flow2api.domain.operator import Role
from flow2api.domain.ports.storage import Storage
from flow2api.domain.preferences import Density, Language, Preferences
from flow2api.domain.second_factor import SecondFactor
from flow2api.domain.secret import Secret
from flow2api.domain.session import OperatorSession
from flow2api.domain.throttle import FREE_TRIES, LONGEST_PAUSE
from flow2api.testing.contracts.reading import ADA, actions, entry_of, new_changes, session_of
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.planting import plant, plant_secrets
from flow2api.testing.samples import (
    NOW,
    account_of,
    credentials_of,
    key_of,
    operator_of,
)

LIKED = Preferences(language=Language.SIMPLIFIED_CHINESE, density=Density.COMPACT, has_letter_keys=False, is_live=False)


class OperatorsContract:
    """Who may sign in."""

    async def test_keeps_every_field(self, storage: Storage) -> None:
        whole = replace(operator_of("Ada Lovelace", Role.VIEWER), preferences=LIKED)

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

    async def test_saves_over_nobody_who_was_changed_meanwhile(self, storage: Storage, clock: FakeClock) -> None:
        seen = await storage.operators.add(operator_of("ada", Role.OWNER))
        now = replace(seen, passphrase_hash=Secret("another"), stamp="another")
        await storage.operators.save(now, former=seen)
        await storage.operators.prefer(seen.id, LIKED)

        entry = entry_of(clock, AuditAction.PASSPHRASE_CHANGED)
        with pytest.raises(ChangedMeanwhileError, match="passphrase, sessions"):
            await storage.operators.save(replace(seen, name="eve"), entry, former=seen)
        assert await storage.operators.get(seen.id) == replace(now, preferences=LIKED)
        assert await actions(storage) == []

        await storage.operators.save(replace(now, name="eve"), former=now)  # what one prefers is nobody else's matter
        assert await storage.operators.get(seen.id) == replace(now, name="eve", preferences=LIKED)

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

    async def test_preferences_are_written_apart_from_all_else(self, storage: Storage, clock: FakeClock) -> None:
        added = await storage.operators.add(replace(operator_of("ada"), preferences=LIKED))
        assert await storage.operators.get(added.id) == added
        other = replace(LIKED, language=None, density=Density.COMFORTABLE)

        await storage.operators.prefer(added.id, other, entry_of(clock, AuditAction.PREFERENCES_CHANGED))
        await storage.operators.save(replace(added, stamp="new"))
        await storage.operators.prefer(99, other, entry_of(clock, AuditAction.PREFERENCES_CHANGED))

        assert await storage.operators.get(added.id) == replace(added, stamp="new", preferences=other)
        assert await actions(storage) == [(AuditAction.PREFERENCES_CHANGED, None)]
        assert await new_changes(storage) == [("operator", "1")] * 3

    async def test_removed_one_is_gone_with_his_sessions(self, storage: Storage, clock: FakeClock) -> None:
        await storage.operators.add(operator_of("ada", Role.OWNER))
        bob = await storage.operators.add(operator_of("bob"))
        session = session_of(clock, b"one", bob.id)
        await storage.sessions.add(session)
        await storage.second_factors.begin(SecondFactor(operator_id=bob.id, secret=Secret("s" * 32), created_at=NOW))

        await storage.operators.remove(bob.id, entry_of(clock, AuditAction.OPERATOR_REMOVED, str(bob.id)))
        await storage.operators.remove(bob.id, entry_of(clock, AuditAction.OPERATOR_REMOVED, str(bob.id)))

        assert [one.name for one in await storage.operators.all()] == ["ada"]
        assert await storage.sessions.find(session.digest) is None
        assert await storage.second_factors.of_operator(bob.id) is None
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


class SessionsContract:
    """Times that operators are signed in."""

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

    async def test_all_others_of_an_operator_end_in_one_step(
        self, storage: Storage, session: OperatorSession, clock: FakeClock
    ) -> None:
        bob = await storage.operators.add(operator_of("bob"))
        bobs = session_of(clock, b"bobs", bob.id)
        for one in (
            session_of(clock, b"two", session.operator_id),
            session_of(clock, b"three", session.operator_id),
            bobs,
        ):
            await storage.sessions.add(one)
        entry = entry_of(clock, AuditAction.SESSIONS_ENDED)

        assert await storage.sessions.remove_others(session.operator_id, session.digest, entry) == 2
        assert await storage.sessions.remove_others(session.operator_id, session.digest, entry) == 0

        assert await storage.sessions.of_operator(session.operator_id) == [session]
        assert await storage.sessions.of_operator(bob.id) == [bobs]
        assert await actions(storage) == [(AuditAction.SESSIONS_ENDED, None)]


class SignInTriesContract:
    """Tries to sign in, slowed down."""

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


class AuditLogContract:
    """The record of what operators did: a change and its entry are one."""

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
        await plant(storage.accounts, replace(account, remark="new"), entry_of(clock, "3 change", "1"))
        await plant_secrets(storage.vault, account, credentials_of("d"), entry_of(clock, "4 write", "1"))
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
            ("3 change", "1"),
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
        await plant(storage.accounts, gone, entry_of(clock))
        await plant_secrets(storage.vault, gone, credentials_of("a"), entry_of(clock))
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
            (AuditFilter(subject="shop", named=frozenset({("key", "1"), ("Key", "2")})), [2, 1]),
            (AuditFilter(subject="1", named=frozenset({("account", "1"), ("ke", "1")})), [2, 1]),
            (AuditFilter(subject="shop", named=frozenset({("Key", "1")})), []),
            (AuditFilter(since=began + timedelta(seconds=60)), [3, 2]),
            (AuditFilter(until=began + timedelta(seconds=60)), [1]),
            (AuditFilter(), [3, 2, 1]),
        ):
            found = await storage.audit_log.page(before=None, limit=5, wanted=wanted)
            assert [entry.number for entry in found] == numbers, wanted
        ada = AuditFilter(actor="ada")
        assert [one.number for one in await storage.audit_log.page(before=3, limit=5, wanted=ada)] == [1]
