"""Operators come in by name and passphrase only, not too often, and stay as long as they may."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.audit import AuditAction
from flow2api.domain.operator import Operator, Role
from flow2api.domain.secret import Secret
from flow2api.domain.session import LONGEST_IDLE, LONGEST_SESSION
from flow2api.domain.throttle import FREE_TRIES, LONGEST_PAUSE
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.sign_in import SignedIn, SignIn, Visitor
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.passphrases import FakePassphrases
from flow2api.testing.fakes.storage import FakeStorage
from tests.unit.domain.usecases.entrance import Entrance

GOOD = Secret("quiet maple river lamp")
BETTER = Secret("another maple river lamp")
WRONG = Secret("quiet maple river lamb")
HERE = Visitor("admin_api", "192.0.2.7", "curl/8", "req_1")


class CountedPassphrases(FakePassphrases):
    """Counts how many passphrases were looked at, those for unknown names included."""

    def __init__(self) -> None:
        super().__init__()
        self.verified: list[bool] = []

    async def verify(self, passphrase: Secret, kept: Secret | None) -> bool:
        self.verified.append(kept is not None)
        return await super().verify(passphrase, kept)


@pytest.fixture
def entrance() -> Entrance:
    return Entrance(passphrases=CountedPassphrases())


@pytest.fixture
def clock(entrance: Entrance) -> FakeClock:
    return entrance.clock


@pytest.fixture
def storage(entrance: Entrance) -> FakeStorage:
    return entrance.storage


@pytest.fixture
def passphrases(entrance: Entrance) -> FakePassphrases:
    return entrance.passphrases


@pytest.fixture
def manage(entrance: Entrance) -> ManageOperators:
    return entrance.manage


@pytest.fixture
def sign_in(entrance: Entrance) -> SignIn:
    return entrance.sign_in


@pytest.fixture
async def ada(manage: ManageOperators) -> Operator:
    return await manage.create("ada", GOOD)


async def begun(sign_in: SignIn, passphrase: Secret = GOOD) -> tuple[SignedIn, str]:
    here, token = await sign_in("ada", passphrase, HERE)
    return here, token.reveal()


def actions(storage: FakeStorage) -> list[str]:
    return [entry.action for entry in storage.tables.audit]


class TestBegin:
    async def test_token_opens_the_session_and_is_kept_nowhere(
        self, sign_in: SignIn, ada: Operator, storage: FakeStorage
    ) -> None:
        here, token = await begun(sign_in)

        assert await sign_in.who(token) == here
        assert here.operator == ada
        assert token.startswith("admin-")
        assert token not in repr(storage.tables)
        assert (here.session.address, here.session.agent) == ("192.0.2.7", "curl/8")

    async def test_every_session_has_a_token_of_its_own(self, sign_in: SignIn, ada: Operator) -> None:
        tokens = {(await begun(sign_in))[1] for _ in range(5)}

        assert len(tokens) == 5

    async def test_name_is_the_same_whatever_its_case(self, sign_in: SignIn, ada: Operator) -> None:
        here, _ = await sign_in(" ADA ", GOOD, HERE)

        assert here.operator == ada

    async def test_unknown_name_is_refused_as_a_wrong_passphrase_is(
        self, sign_in: SignIn, ada: Operator, passphrases: CountedPassphrases
    ) -> None:
        refusals = []
        for name in ("ada", "bob"):
            with pytest.raises(tree.SignInRefusedError) as refusal:
                await sign_in(name, WRONG, HERE)
            refusals.append(refusal.value.message)

        assert len(set(refusals)) == 1
        assert passphrases.verified == [True, False]

    async def test_passphrase_that_is_too_long_costs_no_more_than_another(
        self, sign_in: SignIn, ada: Operator, passphrases: CountedPassphrases
    ) -> None:
        with pytest.raises(tree.SignInRefusedError):
            await sign_in("ada", Secret("x" * 1_000_000), HERE)

        assert passphrases.verified == [True]

    async def test_without_an_operator_setup_is_asked_for(self, sign_in: SignIn) -> None:
        with pytest.raises(tree.SetupRequiredError):
            await sign_in("admin", Secret("admin"), HERE)
        with pytest.raises(tree.SetupRequiredError):
            await sign_in.who("admin-anything")

    async def test_stranger_who_tries_a_name_keeps_nobody_out_who_was_let_in_at_his_own_address_before(
        self, sign_in: SignIn, ada: Operator
    ) -> None:
        await begun(sign_in)
        for number in range(20):
            with pytest.raises((tree.SignInRefusedError, tree.TooManyTriesError)):
                await sign_in("ada", WRONG, replace(HERE, address=f"203.0.113.{number}"))

        here, _ = await begun(sign_in)

        assert here.operator == ada
        with pytest.raises(tree.TooManyTriesError):
            await sign_in("ada", GOOD, replace(HERE, address="203.0.113.99"))

    async def test_tries_at_an_address_that_is_known_are_counted_all_the_same(
        self, sign_in: SignIn, ada: Operator
    ) -> None:
        await begun(sign_in)
        for _ in range(FREE_TRIES):
            with pytest.raises(tree.SignInRefusedError):
                await begun(sign_in, WRONG)

        with pytest.raises(tree.TooManyTriesError):
            await begun(sign_in)

    async def test_both_ends_are_audited_and_no_typed_name_is(
        self, sign_in: SignIn, ada: Operator, storage: FakeStorage
    ) -> None:
        with pytest.raises(tree.SignInRefusedError):
            await sign_in("quiet maple river lamp", WRONG, HERE)
        await begun(sign_in)

        assert actions(storage) == [AuditAction.SIGN_IN_REFUSED, AuditAction.SIGNED_IN]
        assert GOOD.reveal() not in repr(storage.tables.audit)
        assert storage.tables.audit[1].actor.name == "ada"
        assert storage.tables.audit[0].actor.address == "192.0.2.7"

    async def test_nobody_gets_in_whose_entry_cannot_be_written(
        self, sign_in: SignIn, ada: Operator, storage: FakeStorage
    ) -> None:
        storage.tables.audit_fault = tree.StorageFullError("full")

        with pytest.raises(tree.StorageFullError):
            await begun(sign_in)
        assert storage.tables.sessions == {}

    async def test_hash_of_former_costs_is_renewed(
        self, sign_in: SignIn, ada: Operator, passphrases: CountedPassphrases, storage: FakeStorage
    ) -> None:
        passphrases.method = "dearer"
        here, token = await begun(sign_in)

        assert storage.tables.operators[ada.id].passphrase_hash.reveal().startswith("dearer:")
        assert (await sign_in.who(token)).session == here.session

    async def test_fresher_hash_takes_no_change_back_that_somebody_made_meanwhile(
        self,
        sign_in: SignIn,
        manage: ManageOperators,
        ada: Operator,
        passphrases: CountedPassphrases,
        storage: FakeStorage,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await manage.create("bob", GOOD, Role.OWNER)
        passphrases.method = "dearer"
        hashed = passphrases.hash

        async def hashed_slowly(passphrase: Secret) -> Secret:
            await manage.set_role("ada", Role.VIEWER)
            return await hashed(passphrase)

        monkeypatch.setattr(passphrases, "hash", hashed_slowly)
        _, token = await begun(sign_in)

        assert storage.tables.operators[ada.id] == replace(ada, role=Role.VIEWER)
        assert (await sign_in.who(token)).operator.role is Role.VIEWER


class TestThrottle:
    async def test_thousand_tries_have_few_looked_at(
        self, sign_in: SignIn, ada: Operator, passphrases: CountedPassphrases, clock: FakeClock
    ) -> None:
        for _ in range(1000):
            with pytest.raises(tree.OperatorError):
                await sign_in("ada", WRONG, HERE)
            clock.advance(1)

        assert len(passphrases.verified) <= 20

    async def test_right_passphrase_waits_too(self, sign_in: SignIn, ada: Operator, clock: FakeClock) -> None:
        for _ in range(FREE_TRIES):
            with pytest.raises(tree.SignInRefusedError):
                await sign_in("ada", WRONG, HERE)

        with pytest.raises(tree.TooManyTriesError) as refusal:
            await begun(sign_in)
        clock.advance(refusal.value.retry_after_s)
        await begun(sign_in)

    async def test_try_that_was_not_looked_at_is_put_down_once_in_a_pause(
        self, sign_in: SignIn, ada: Operator, clock: FakeClock, storage: FakeStorage
    ) -> None:
        for _ in range(FREE_TRIES + 20):
            with pytest.raises((tree.SignInRefusedError, tree.TooManyTriesError)):
                await sign_in("ada", WRONG, HERE)
        put_off = [entry for entry in storage.tables.audit if entry.action == AuditAction.SIGN_IN_PUT_OFF]
        clock.advance(2)
        for _ in range(20):
            with pytest.raises((tree.SignInRefusedError, tree.TooManyTriesError)):
                await sign_in("ada", WRONG, HERE)

        (entry,) = put_off
        assert (entry.subject, entry.actor.name, entry.actor.address) == (str(ada.id), "", HERE.address)
        actions = [entry.action for entry in storage.tables.audit]
        assert actions.count(AuditAction.SIGN_IN_PUT_OFF) == 2
        assert actions.count(AuditAction.SIGN_IN_REFUSED) == FREE_TRIES + 1

    async def test_other_names_do_not_help_one_address(self, sign_in: SignIn, ada: Operator) -> None:
        for number in range(FREE_TRIES):
            with pytest.raises(tree.SignInRefusedError):
                await sign_in(f"guess {number}", WRONG, HERE)

        with pytest.raises(tree.TooManyTriesError):
            await begun(sign_in)

    async def test_other_addresses_do_not_help_against_one_name(self, sign_in: SignIn, ada: Operator) -> None:
        for number in range(FREE_TRIES):
            with pytest.raises(tree.SignInRefusedError):
                await sign_in("ADA", WRONG, Visitor("admin_api", f"192.0.2.{number}"))

        with pytest.raises(tree.TooManyTriesError):
            await sign_in("ada", GOOD, Visitor("admin_api", "192.0.2.99"))

    async def test_one_subscriber_has_one_network(self, sign_in: SignIn, ada: Operator) -> None:
        for number in range(FREE_TRIES):
            with pytest.raises(tree.SignInRefusedError):
                await sign_in(f"guess {number}", WRONG, Visitor("admin_api", f"2001:db8:1:2::{number}"))

        with pytest.raises(tree.TooManyTriesError):
            await sign_in("ada", GOOD, Visitor("admin_api", "2001:db8:1:2:ffff::1"))
        await sign_in("ada", GOOD, Visitor("admin_api", "2001:db8:1:3::1"))

    async def test_many_at_once_are_no_way_around(
        self, sign_in: SignIn, ada: Operator, passphrases: CountedPassphrases
    ) -> None:
        tries = [sign_in("ada", WRONG, HERE) for _ in range(100)]

        await asyncio.gather(*tries, return_exceptions=True)

        assert len(passphrases.verified) == FREE_TRIES

    async def test_pause_is_never_longer_than_a_quarter_of_an_hour(
        self, sign_in: SignIn, ada: Operator, clock: FakeClock
    ) -> None:
        pauses = []
        for _ in range(200):
            with pytest.raises(tree.OperatorError) as refusal:
                await sign_in("ada", WRONG, HERE)
            if isinstance(refusal.value, tree.TooManyTriesError):
                pauses.append(refusal.value.retry_after_s)
                clock.advance(pauses[-1])

        assert max(pauses) == LONGEST_PAUSE.total_seconds()

    async def test_database_that_refuses_lets_nobody_in(
        self, sign_in: SignIn, ada: Operator, storage: FakeStorage, passphrases: CountedPassphrases
    ) -> None:
        storage.tables.fault = tree.StorageBusyError("busy")

        with pytest.raises(tree.StorageBusyError):
            await begun(sign_in)
        assert passphrases.verified == []

    async def test_wrong_former_passphrases_count_too(self, sign_in: SignIn, ada: Operator) -> None:
        here, _ = await begun(sign_in)
        for _ in range(FREE_TRIES):
            with pytest.raises(tree.SignInRefusedError):
                await sign_in.change_passphrase(here, WRONG, BETTER, HERE)

        with pytest.raises(tree.TooManyTriesError):
            await sign_in.change_passphrase(here, GOOD, BETTER, HERE)


class TestEnd:
    @pytest.mark.parametrize("token", [None, "", "admin-", "admin-wrong", "f2a_key", "admin-" + "x" * 10_000])
    async def test_unknown_token_is_nobodys(self, sign_in: SignIn, ada: Operator, token: str | None) -> None:
        await begun(sign_in)

        with pytest.raises(tree.NotSignedInError):
            await sign_in.who(token)

    async def test_signed_out_is_out(self, sign_in: SignIn, ada: Operator, storage: FakeStorage) -> None:
        here, token = await begun(sign_in)

        await sign_in.sign_out(here, HERE)
        await sign_in.sign_out(here, HERE)

        with pytest.raises(tree.NotSignedInError):
            await sign_in.who(token)
        assert actions(storage).count(AuditAction.SIGNED_OUT) == 1

    async def test_idle_session_ends(self, sign_in: SignIn, ada: Operator, clock: FakeClock) -> None:
        _, token = await begun(sign_in)
        for _ in range(5):
            clock.advance(LONGEST_IDLE.total_seconds() - 1)
            await sign_in.who(token)

        clock.advance(LONGEST_IDLE.total_seconds())
        with pytest.raises(tree.NotSignedInError):
            await sign_in.who(token)

    async def test_session_ends_after_a_week_however_busy(
        self, sign_in: SignIn, ada: Operator, clock: FakeClock
    ) -> None:
        _, token = await begun(sign_in)
        left = LONGEST_SESSION
        while left > LONGEST_IDLE / 2:
            clock.advance((LONGEST_IDLE / 2).total_seconds())
            left -= LONGEST_IDLE / 2
            await sign_in.who(token)

        clock.advance(left.total_seconds())
        with pytest.raises(tree.NotSignedInError):
            await sign_in.who(token)

    async def test_sign_of_life_is_written_once_a_minute(
        self, sign_in: SignIn, ada: Operator, clock: FakeClock, storage: FakeStorage
    ) -> None:
        _, token = await begun(sign_in)
        before = storage.tables.writes
        for _ in range(120):
            clock.advance(1)
            await sign_in.who(token)

        assert storage.tables.writes - before == 2

    async def test_removed_operator_is_signed_in_no_more(
        self, sign_in: SignIn, ada: Operator, manage: ManageOperators, storage: FakeStorage
    ) -> None:
        await manage.create("bob", GOOD)
        _, token = await begun(sign_in)
        del storage.tables.operators[ada.id]

        with pytest.raises(tree.NotSignedInError):
            await sign_in.who(token)


class TestChangePassphrase:
    async def test_ends_every_other_session(self, sign_in: SignIn, ada: Operator) -> None:
        here, mine = await begun(sign_in)
        _, other = await begun(sign_in)

        changed = await sign_in.change_passphrase(here, GOOD, BETTER, HERE, name="Ada L.")

        assert (await sign_in.who(mine)).operator == changed
        assert changed.name == "Ada L."
        with pytest.raises(tree.NotSignedInError):
            await sign_in.who(other)
        assert [session.id for session in await sign_in.sessions_of(changed)] == [here.session.id]

    async def test_reset_on_the_command_line_ends_all(
        self, sign_in: SignIn, ada: Operator, manage: ManageOperators
    ) -> None:
        _, token = await begun(sign_in)

        await manage.reset("ada", BETTER)

        with pytest.raises(tree.NotSignedInError):
            await sign_in.who(token)

    async def test_is_audited_in_the_same_step(self, sign_in: SignIn, ada: Operator, storage: FakeStorage) -> None:
        here, _ = await begun(sign_in)
        storage.tables.audit_fault = tree.StorageFullError("full")

        with pytest.raises(tree.StorageFullError):
            await sign_in.change_passphrase(here, GOOD, BETTER, HERE)

        assert storage.tables.operators[ada.id] == ada
        storage.tables.audit_fault = None
        await sign_in.change_passphrase(here, GOOD, BETTER, HERE)
        assert actions(storage)[-1] == AuditAction.PASSPHRASE_CHANGED

    async def test_needs_the_former_one_and_another_new_one(self, sign_in: SignIn, ada: Operator) -> None:
        here, _ = await begun(sign_in)

        with pytest.raises(tree.SignInRefusedError):
            await sign_in.change_passphrase(here, WRONG, BETTER, HERE)
        with pytest.raises(tree.UnsupportedInputError):
            await sign_in.change_passphrase(here, GOOD, GOOD, HERE)
        with pytest.raises(tree.UnsupportedInputError):
            await sign_in.change_passphrase(here, GOOD, Secret("short"), HERE)


async def test_storage_that_takes_nothing_more_signs_nobody_out(
    sign_in: SignIn, ada: Operator, clock: FakeClock, storage: FakeStorage
) -> None:
    here, token = await begun(sign_in)
    clock.advance(120)
    storage.tables.fault = tree.StorageFullError("full")

    assert (await sign_in.who(token)).operator == here.operator


async def test_sessions_are_listed_while_they_live(sign_in: SignIn, ada: Operator, clock: FakeClock) -> None:
    first, _ = await begun(sign_in)
    clock.advance(timedelta(hours=5).total_seconds())
    second, _ = await begun(sign_in)

    assert await sign_in.sessions_of(ada) == [second.session, first.session]
    clock.advance(timedelta(hours=4).total_seconds())
    assert await sign_in.sessions_of(ada) == [second.session]
    assert await sign_in.sessions_of(replace(ada, stamp="new")) == []


class TestSessionsEndedSingly:
    async def test_one_of_several_ends_and_the_others_go_on(
        self, sign_in: SignIn, ada: Operator, storage: FakeStorage
    ) -> None:
        (here, token), (other, other_token) = await begun(sign_in), await begun(sign_in)

        await sign_in.end_session(here, other.session.id, HERE)

        assert await sign_in.who(token) == here
        with pytest.raises(tree.NotSignedInError):
            await sign_in.who(other_token)
        entry = storage.tables.audit[-1]
        assert (entry.action, entry.details) == (AuditAction.SESSION_ENDED, {"session": other.session.id})

    async def test_one_that_is_not_there_or_anothers_is_not_found(
        self, sign_in: SignIn, ada: Operator, manage: ManageOperators, storage: FakeStorage
    ) -> None:
        await manage.create("bob", BETTER)
        here, _ = await begun(sign_in)
        bobs, token = await sign_in("bob", BETTER, HERE)

        for session_id in (bobs.session.id, "ses_none", ""):
            with pytest.raises(tree.NotKnownError):
                await sign_in.end_session(here, session_id, HERE)

        assert await sign_in.who(token.reveal()) == bobs
        assert AuditAction.SESSION_ENDED not in actions(storage)

    async def test_all_others_end_but_nobody_elses(
        self, sign_in: SignIn, ada: Operator, manage: ManageOperators, storage: FakeStorage
    ) -> None:
        await manage.create("bob", BETTER)
        bobs, bobs_token = await sign_in("bob", BETTER, HERE)
        others = [(await begun(sign_in))[1] for _ in range(3)]
        here, token = await begun(sign_in)

        assert await sign_in.end_others(here, HERE) == 3
        assert await sign_in.end_others(here, HERE) == 0

        assert await sign_in.who(token) == here
        assert await sign_in.who(bobs_token.reveal()) == bobs
        for other in others:
            with pytest.raises(tree.NotSignedInError):
                await sign_in.who(other)
        assert actions(storage).count(AuditAction.SESSIONS_ENDED) == 1


class TestConfirmPassphrase:
    async def test_right_one_passes_and_wrong_one_does_not(
        self, sign_in: SignIn, ada: Operator, storage: FakeStorage
    ) -> None:
        here, _ = await begun(sign_in)

        await sign_in.confirm_passphrase(here, GOOD, HERE)
        with pytest.raises(tree.SignInRefusedError):
            await sign_in.confirm_passphrase(here, WRONG, HERE)

        entry = storage.tables.audit[-1]
        assert (entry.action, entry.actor.name) == (AuditAction.SIGN_IN_REFUSED, "ada")

    async def test_wrong_ones_are_counted(self, sign_in: SignIn, ada: Operator, clock: FakeClock) -> None:
        here, _ = await begun(sign_in)
        for _ in range(FREE_TRIES):
            with pytest.raises(tree.SignInRefusedError):
                await sign_in.confirm_passphrase(here, WRONG, HERE)

        with pytest.raises(tree.TooManyTriesError):
            await sign_in.confirm_passphrase(here, GOOD, HERE)
        clock.advance(LONGEST_PAUSE.total_seconds())
        await sign_in.confirm_passphrase(here, GOOD, HERE)


class TestSecondFactor:
    @pytest.fixture
    async def recovery(self, entrance: Entrance, ada: Operator) -> list[Secret]:
        here = await entrance.come_in()
        await entrance.second_factor.begin(here, GOOD, HERE)
        codes = await entrance.second_factor.confirm(here, entrance.codes.code_at(entrance.clock.now()), HERE)
        entrance.clock.advance(60)
        return list(codes)

    async def test_is_asked_for_when_the_passphrase_is_right(
        self, entrance: Entrance, recovery: list[Secret], storage: FakeStorage
    ) -> None:
        for code in (None, Secret(""), Secret(" ")):
            with pytest.raises(tree.SecondFactorRequiredError):
                await entrance.sign_in("ada", GOOD, HERE, code)
            assert actions(storage)[-1] == AuditAction.CODE_ASKED

        with pytest.raises(tree.SignInRefusedError):
            await entrance.sign_in("ada", WRONG, HERE)

    async def test_right_code_signs_in_once(self, entrance: Entrance, recovery: list[Secret]) -> None:
        code = entrance.codes.code_at(entrance.clock.now())

        assert (await entrance.come_in(code=code)).operator.name == "ada"
        with pytest.raises(tree.SignInRefusedError):
            await entrance.sign_in("ada", GOOD, HERE, code)

    async def test_code_that_confirmed_it_does_not_sign_in(self, entrance: Entrance, recovery: list[Secret]) -> None:
        entrance.clock.advance(-60)

        with pytest.raises(tree.SignInRefusedError):
            await entrance.sign_in("ada", GOOD, HERE, entrance.codes.code_at(entrance.clock.now()))

    async def test_of_many_with_the_same_code_one_gets_in(self, entrance: Entrance, recovery: list[Secret]) -> None:
        code = entrance.codes.code_at(entrance.clock.now())
        places = [Visitor("console", f"203.0.113.{number}") for number in range(5)]

        results = await asyncio.gather(
            *(entrance.come_in(visitor=place, code=code) for place in places), return_exceptions=True
        )

        assert [type(result) for result in results].count(SignedIn) == 1

    @pytest.mark.parametrize("code", ["000000", "12345", "abcdef", "x" * 100, "x" * 1_000_000, "\ud800x", "1½½½½½½"])
    async def test_wrong_code_is_refused_as_a_wrong_passphrase_is(
        self, entrance: Entrance, recovery: list[Secret], storage: FakeStorage, code: str
    ) -> None:
        with pytest.raises(tree.SignInRefusedError):
            await entrance.sign_in("ada", GOOD, HERE, Secret(code))

        assert actions(storage)[-1] == AuditAction.SIGN_IN_REFUSED
        assert storage.tables.audit[-1].actor.name == ""

    async def test_codes_cannot_be_tried_through(self, entrance: Entrance, recovery: list[Secret]) -> None:
        looked_at = 0
        for number in range(1000):
            try:
                await entrance.sign_in(
                    "ada", GOOD, Visitor("console", f"203.0.113.{number % 250}"), Secret(f"{number:06}")
                )
            except tree.SignInRefusedError:
                looked_at += 1
            except tree.TooManyTriesError:
                pass

        assert looked_at <= 20

    async def test_right_passphrase_without_a_code_counts_as_a_try(
        self, entrance: Entrance, recovery: list[Secret]
    ) -> None:
        for _ in range(FREE_TRIES):
            with pytest.raises(tree.SecondFactorRequiredError):
                await entrance.sign_in("ada", GOOD, HERE)

        with pytest.raises(tree.TooManyTriesError):
            await entrance.sign_in("ada", GOOD, HERE)

    async def test_recovery_code_signs_in_once_however_it_is_typed(
        self, entrance: Entrance, recovery: list[Secret], storage: FakeStorage
    ) -> None:
        typed = Secret(f"  {recovery[0].reveal().upper().replace('-', ' ')} ")

        await entrance.come_in(code=typed)
        entry = next(one for one in storage.tables.audit if one.action == AuditAction.RECOVERY_CODE_USED)
        assert entry.details == {"left": 9}
        with pytest.raises(tree.SignInRefusedError):
            await entrance.sign_in("ada", GOOD, HERE, recovery[0])
        await entrance.come_in(code=recovery[1])

    async def test_code_of_who_has_no_second_factor_is_not_looked_at(self, entrance: Entrance, ada: Operator) -> None:
        assert (await entrance.come_in(code=Secret("000000"))).operator == ada

    async def test_one_that_is_not_confirmed_is_not_asked_for(self, entrance: Entrance, ada: Operator) -> None:
        here = await entrance.come_in()
        await entrance.second_factor.begin(here, GOOD, HERE)

        assert (await entrance.come_in()).operator == ada
