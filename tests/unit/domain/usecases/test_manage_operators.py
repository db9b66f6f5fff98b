import asyncio
from dataclasses import replace

import pytest

from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, NotKnownError, UnsupportedInputError
from flow2api.domain.operator import Role
from flow2api.domain.passphrase_strength import LEAST_GUESSES, PassphraseStrength
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_operators import LONGEST_PASSPHRASE, SHORTEST_PASSPHRASE
from flow2api.domain.usecases.manage_operators import ManageOperators as Manage
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.passphrases import FakeMeter, FakePassphrases
from flow2api.testing.fakes.storage import FakeStorage

GOOD = Secret("quiet maple river lamp")
BETTER = Secret("another maple river lamp")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(clock: FakeClock) -> FakeStorage:
    return FakeStorage(clock)


@pytest.fixture
def passphrases() -> FakePassphrases:
    return FakePassphrases()


@pytest.fixture
def meter() -> FakeMeter:
    return FakeMeter({"just too easy to guess": LEAST_GUESSES - 1, "just hard enough": LEAST_GUESSES})


@pytest.fixture
def manage(storage: FakeStorage, passphrases: FakePassphrases, meter: FakeMeter, clock: FakeClock) -> Manage:
    return Manage(storage.operators, passphrases, meter, clock)


class TestCreate:
    async def test_first_one_owns_and_the_others_have_their_role(self, manage: Manage) -> None:
        made = [
            await manage.create("ada", GOOD, Role.VIEWER),
            await manage.create("bob", GOOD),
            await manage.create("cleo", GOOD, Role.VIEWER),
        ]

        assert [(one.id, one.role) for one in made] == [(1, Role.OWNER), (2, Role.OPERATOR), (3, Role.VIEWER)]
        assert await manage.all() == made

    async def test_only_one_of_several_at_once_owns(self, manage: Manage) -> None:
        made = await asyncio.gather(*(manage.create(f"operator {number}", GOOD) for number in range(8)))

        assert sorted(one.role for one in made) == [Role.OPERATOR] * 7 + [Role.OWNER]

    async def test_keeps_the_hash_and_not_the_passphrase(
        self, manage: Manage, storage: FakeStorage, passphrases: FakePassphrases, clock: FakeClock
    ) -> None:
        made = await manage.create(" ada ", GOOD)

        assert storage.tables.operators == {1: made}
        assert (made.name, made.created_at, made.passphrase_changed_at) == ("ada", clock.now(), clock.now())
        assert made.passphrase_hash != GOOD
        assert await passphrases.verify(GOOD, made.passphrase_hash)

    async def test_no_two_stamps_are_alike(self, manage: Manage) -> None:
        stamps = {(await manage.create(f"operator {number}", GOOD)).stamp for number in range(20)}

        assert len(stamps) == 20
        assert {len(stamp) for stamp in stamps} == {22}, "128 bits"

    @pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\x1b[2J", "a\u202eb", "7", "\u0667"])
    async def test_name_that_cannot_be_one_is_refused(self, manage: Manage, storage: FakeStorage, name: str) -> None:
        with pytest.raises(UnsupportedInputError) as refused:
            await manage.create(name, GOOD)

        assert refused.value.param == "name"
        assert storage.tables.operators == {}

    @pytest.mark.parametrize("name", ["x" * 64, "Ada Lovelace", "小明", "ada@example.org", "7th"])
    async def test_name_may_be_any_word(self, manage: Manage, name: str) -> None:
        assert (await manage.create(name, GOOD)).name == name

    async def test_name_of_another_is_refused_whatever_its_case(self, manage: Manage) -> None:
        await manage.create("Ada", GOOD)

        with pytest.raises(ConflictError, match="'ADA' exists already"):
            await manage.create("ADA", GOOD)

    async def test_second_of_two_with_one_name_is_refused_also_at_once(self, manage: Manage) -> None:
        made = await asyncio.gather(*(manage.create("ada", GOOD) for _ in range(5)), return_exceptions=True)

        assert [type(one) for one in made].count(ConflictError) == 4


class TestRules:
    @pytest.mark.parametrize("length", [0, 5, SHORTEST_PASSPHRASE - 1, LONGEST_PASSPHRASE + 1])
    async def test_length_outside_the_limits_is_refused_before_anything_is_hashed(
        self, manage: Manage, passphrases: FakePassphrases, length: int
    ) -> None:
        with pytest.raises(UnsupportedInputError, match="12 to 128 characters") as refused:
            await manage.create("ada", Secret("ü" * length))

        assert refused.value.param == "passphrase"
        assert passphrases.hashed == 0

    @pytest.mark.parametrize("length", [SHORTEST_PASSPHRASE, LONGEST_PASSPHRASE])
    async def test_length_counts_characters_of_any_script(self, manage: Manage, length: int) -> None:
        assert (await manage.create("ada", Secret("字" * length))).id == 1

    async def test_what_is_guessed_too_soon_is_refused(self, manage: Manage, passphrases: FakePassphrases) -> None:
        with pytest.raises(UnsupportedInputError, match="first that would be tried") as refused:
            await manage.create("ada", Secret("just too easy to guess"))

        assert refused.value.param == "passphrase"
        assert passphrases.hashed == 0
        assert (await manage.create("ada", Secret("just hard enough"))).id == 1

    async def test_own_name_and_known_samples_are_near(self, manage: Manage, meter: FakeMeter) -> None:
        for passphrase in ("Ada of the Lovelaces", "correct horse battery staple"):
            with pytest.raises(UnsupportedInputError):
                await manage.create("Ada of the Lovelaces", Secret(passphrase))

        assert {"Ada of the Lovelaces", "flow2api", "admin"} <= set(meter.near)

    async def test_refusal_does_not_repeat_the_passphrase(self, manage: Manage) -> None:
        for passphrase in ("hush", "just too easy to guess"):
            with pytest.raises(UnsupportedInputError) as refused:
                await manage.create("ada", Secret(passphrase))
            assert passphrase not in refused.value.message

    async def test_rules_hold_for_a_reset_as_well(self, manage: Manage, storage: FakeStorage) -> None:
        made = await manage.create("ada", GOOD)

        for passphrase in ("short", "just too easy to guess"):
            with pytest.raises(UnsupportedInputError):
                await manage.reset("ada", Secret(passphrase))
        assert storage.tables.operators == {1: made}


class TestCreateFirst:
    async def test_makes_the_owner(self, manage: Manage) -> None:
        assert (await manage.create_first("ada", GOOD)).role is Role.OWNER

    async def test_is_refused_once_there_is_one(self, manage: Manage) -> None:
        await manage.create("ada", GOOD)

        with pytest.raises(ConflictError, match="an operator already"):
            await manage.create_first("bob", GOOD)
        assert len(await manage.all()) == 1

    async def test_one_of_several_set_ups_at_once_wins(self, manage: Manage) -> None:
        made = await asyncio.gather(
            *(manage.create_first(f"operator {number}", GOOD) for number in range(8)), return_exceptions=True
        )

        assert [type(one) for one in made].count(ConflictError) == 7
        assert [one.role for one in await manage.all()] == [Role.OWNER]


class TestReset:
    async def test_changes_passphrase_and_stamp_and_nothing_else(
        self, manage: Manage, storage: FakeStorage, passphrases: FakePassphrases, clock: FakeClock
    ) -> None:
        before = await manage.create("ada", GOOD)
        clock.advance(60)

        after = await manage.reset("ada", BETTER)

        assert storage.tables.operators == {1: after}
        assert await passphrases.verify(BETTER, after.passphrase_hash)
        assert not await passphrases.verify(GOOD, after.passphrase_hash)
        assert after.stamp != before.stamp
        assert (after.passphrase_changed_at, after.created_at) == (clock.now(), before.created_at)
        assert (after.id, after.name, after.role) == (before.id, before.name, before.role)

    async def test_same_passphrase_again_still_ends_sessions(self, manage: Manage) -> None:
        before = await manage.create("ada", GOOD)

        assert (await manage.reset("ada", GOOD)).stamp != before.stamp

    @pytest.mark.parametrize("which", ["2", "bob", "BOB"])
    async def test_takes_a_name_or_an_id(self, manage: Manage, which: str) -> None:
        await manage.create("ada", GOOD)
        await manage.create("Bob", GOOD)

        assert (await manage.reset(which, BETTER)).id == 2

    async def test_the_only_one_needs_no_name(self, manage: Manage) -> None:
        await manage.create("ada", GOOD)
        assert (await manage.reset(None, BETTER)).name == "ada"

        await manage.create("bob", GOOD)
        with pytest.raises(ConflictError, match="several operators"):
            await manage.reset(None, BETTER)

    async def test_nobody_is_told_how_to_make_the_first(self, manage: Manage) -> None:
        for which in (None, "ada"):
            with pytest.raises(ConflictError, match="flow2api operator create"):
                await manage.reset(which, BETTER)

    async def test_unknown_one_is_told_and_costs_no_hash(self, manage: Manage, passphrases: FakePassphrases) -> None:
        await manage.create("ada", GOOD)

        with pytest.raises(ConflictError, match="no operator 'eve'; `flow2api operator list`"):
            await manage.reset("eve", BETTER)
        assert passphrases.hashed == 1


async def test_role_of_one_is_changed_by_name_or_id(manage: Manage, storage: FakeStorage) -> None:
    await manage.create("ada", GOOD)
    bob = await manage.create("bob", GOOD)

    changed = await manage.set_role("BOB", Role.VIEWER)
    await manage.set_role(str(bob.id), Role.VIEWER)

    assert (changed.role, storage.tables.operators[bob.id].role) == (Role.VIEWER, Role.VIEWER)
    assert storage.tables.operators[bob.id].stamp == bob.stamp


async def test_role_is_not_given_over_one_that_was_not_seen(manage: Manage, storage: FakeStorage) -> None:
    await manage.create("ada", GOOD)
    bob = await manage.create("bob", GOOD)
    await manage.set_role("bob", Role.VIEWER, former=Role.OPERATOR)

    with pytest.raises(ChangedMeanwhileError, match="role"):
        await manage.set_role("bob", Role.OWNER, former=Role.OPERATOR)

    assert storage.tables.operators[bob.id].role is Role.VIEWER
    assert (await manage.set_role("bob", Role.VIEWER, former=Role.OPERATOR)).role is Role.VIEWER


async def test_passphrase_that_takes_long_to_hash_takes_no_change_back(
    manage: Manage, storage: FakeStorage, passphrases: FakePassphrases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await manage.create("ada", GOOD)
    bob = await manage.create("bob", GOOD, Role.OWNER)
    hashed = passphrases.hash

    async def hashed_slowly(passphrase: Secret) -> Secret:
        await manage.set_role("bob", Role.VIEWER)
        return await hashed(passphrase)

    monkeypatch.setattr(passphrases, "hash", hashed_slowly)
    with pytest.raises(ChangedMeanwhileError, match="role"):
        await manage.renew(bob, BETTER)

    assert storage.tables.operators[bob.id] == replace(bob, role=Role.VIEWER)


async def test_last_owner_can_neither_be_removed_nor_be_less(manage: Manage, storage: FakeStorage) -> None:
    await manage.create("ada", GOOD)
    await manage.create("bob", GOOD)

    for change in (manage.remove("ada"), manage.set_role("ada", Role.OPERATOR), manage.remove("eve")):
        with pytest.raises(ConflictError):
            await change
    assert (await manage.remove("bob")).name == "bob"

    assert [one.name for one in storage.tables.operators.values()] == ["ada"]


async def test_sign_out_gives_a_new_stamp_and_nothing_else(manage: Manage, storage: FakeStorage) -> None:
    ada = await manage.create("ada", GOOD)

    changed = await manage.sign_out("ada")

    assert storage.tables.operators[ada.id] == changed == replace(ada, stamp=changed.stamp)
    assert changed.stamp != ada.stamp


async def test_operator_is_found_by_name_or_id(manage: Manage) -> None:
    ada = await manage.create("ada", GOOD)

    assert await manage.named("ADA") == await manage.named(str(ada.id)) == ada
    with pytest.raises(NotKnownError):
        await manage.named("bob")


class TestStrength:
    @pytest.mark.parametrize(
        ("text", "strength"),
        [
            ("short", PassphraseStrength.TOO_SHORT),
            ("x" * (LONGEST_PASSPHRASE + 1), PassphraseStrength.TOO_LONG),
            ("just too easy to guess", PassphraseStrength.WEAK),
            ("just hard enough", PassphraseStrength.FAIR),
            ("nobody would guess it", PassphraseStrength.STRONG),
            ("a name of my own", PassphraseStrength.WEAK),
        ],
    )
    async def test_is_what_the_rules_would_say(self, manage: Manage, text: str, strength: PassphraseStrength) -> None:
        assert await manage.strength(Secret(text), "a name of my own") is strength
        assert await manage.all() == []
