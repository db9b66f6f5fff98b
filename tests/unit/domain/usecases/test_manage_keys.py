import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta

import pytest

from flow2api.domain.api_key import ApiKey
from flow2api.domain.audit import Actor, AuditEntry
from flow2api.domain.errors import (
    ChangedMeanwhileError,
    ConflictError,
    NotKnownError,
    StorageFullError,
    UnsupportedInputError,
)
from flow2api.domain.key_rules import LONGEST_LIFE, NO_RULES, KeyRules, KeyScope
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.authorize_key import API_KEY_PURPOSE
from flow2api.domain.usecases.manage_keys import ManageKeys
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.operators import FakeApiKeys
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.fakes.tables import Tables


class FakeCipher:
    """Hides nothing, but tells apart."""

    def prepare(self, *, holds_secrets: bool) -> None:
        return

    def seal(self, secret: Secret, *, place: str) -> str:
        return f"{place}:{secret.reveal()}"

    def open(self, sealed: str, *, place: str) -> Secret:
        return Secret(sealed.removeprefix(f"{place}:"))

    def digest(self, secret: Secret, *, purpose: str) -> bytes:
        return hashlib.sha256(f"{purpose}:{secret.reveal()}".encode()).digest()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(clock: FakeClock) -> FakeStorage:
    return FakeStorage(clock)


@pytest.fixture
def manage(storage: FakeStorage, clock: FakeClock) -> ManageKeys:
    return ManageKeys(storage.api_keys, FakeCipher(), clock)


async def test_key_is_kept_as_its_digest_only(manage: ManageKeys, storage: FakeStorage, clock: FakeClock) -> None:
    key, text = await manage.create(" laptop ")

    assert storage.tables.api_keys == {key.id: key}
    assert (key.name, key.created_at, key.is_active) == ("laptop", clock.now(), True)
    assert key.prefix == text.reveal()[:10]
    assert key.digest == FakeCipher().digest(text, purpose=API_KEY_PURPOSE)
    assert text.reveal() not in repr(key)


async def test_no_two_keys_are_alike(manage: ManageKeys) -> None:
    texts = {(await manage.create())[1] for _ in range(20)}

    assert len(texts) == 20
    assert {len(text) for text in texts} == {47}


async def test_name_is_the_first_free_number_without_one(manage: ManageKeys) -> None:
    await manage.create()
    second, _ = await manage.create()
    await manage.revoke("key 1")

    assert second.name == "key 2"
    assert (await manage.create())[0].name == "key 1"
    assert (await manage.create())[0].name == "key 3"


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\x1b[2J", "7"])
async def test_name_that_cannot_be_one_is_refused(manage: ManageKeys, storage: FakeStorage, name: str) -> None:
    with pytest.raises(UnsupportedInputError):
        await manage.create(name)
    assert storage.tables.api_keys == {}


async def test_name_of_an_active_key_is_refused_and_free_once_it_is_revoked(manage: ManageKeys) -> None:
    await manage.create("laptop")
    with pytest.raises(ConflictError):
        await manage.create("laptop")

    await manage.revoke("laptop")

    assert (await manage.create("laptop"))[0].id == 2
    assert [key.is_active for key in await manage.all()] == [False, True]


async def test_key_is_revoked_by_name_or_id_once(manage: ManageKeys, clock: FakeClock) -> None:
    await manage.create("one")
    await manage.create("two")

    assert (await manage.revoke("1")).name == "one"
    assert (await manage.revoke("two")).revoked_at == clock.now()
    for which in ("1", "two", "nobody"):
        with pytest.raises(ConflictError, match="There is no active key"):
            await manage.revoke(which)


class TestSetText:
    ADA = Actor(name="ada", door="admin_api", operator_id=1)
    TEXT = "a-key-that-an-operator-chose-4711"

    async def test_makes_the_key_of_that_name(self, manage: ManageKeys, storage: FakeStorage) -> None:
        key = await manage.set_text("default", self.TEXT, self.ADA)

        assert await manage.named("default") == key
        assert (key.prefix, key.is_active) == ("a-ke", True)
        assert [(entry.action, entry.subject) for entry in storage.tables.audit] == [("key.created", "default")]
        assert self.TEXT not in repr(storage.tables)

    async def test_takes_the_place_of_the_former_text(self, manage: ManageKeys, storage: FakeStorage) -> None:
        former = await manage.set_text("default", self.TEXT, self.ADA)
        key = await manage.set_text("default", f"{self.TEXT}-new", self.ADA)
        again = await manage.set_text("default", f"{self.TEXT}-new", self.ADA)

        assert key.id == former.id
        assert key.digest != former.digest
        assert again == key
        assert [entry.action for entry in storage.tables.audit] == ["key.created", "key.changed"]

    async def test_text_of_another_key_is_refused_even_when_that_was_revoked(self, manage: ManageKeys) -> None:
        _, text = await manage.create("laptop")
        await manage.revoke("laptop")

        with pytest.raises(ConflictError):
            await manage.set_text("default", text.reveal(), self.ADA)

    @pytest.mark.parametrize(
        "text",
        ["", "han1234", "short", "x" * 40, "with blanks in the middle of it", "a\r\nb" * 10, "é" * 30, "y" * 257],
    )
    async def test_text_that_could_be_guessed_or_sent_by_nobody_is_refused(
        self, manage: ManageKeys, storage: FakeStorage, text: str
    ) -> None:
        with pytest.raises(UnsupportedInputError):
            await manage.set_text("default", text, self.ADA)
        assert storage.tables.api_keys == {}


async def test_changed_key_keeps_what_is_not_named(manage: ManageKeys, storage: FakeStorage) -> None:
    key, _ = await manage.create("laptop", tag="eu")
    ada = Actor(name="ada", door="command_line")

    assert (await manage.update("laptop", name="desk", actor=ada)).tag == "eu"
    changed = await manage.update(str(key.id), tag="", actor=ada)

    assert (changed.name, changed.tag, changed.digest) == ("desk", None, key.digest)
    assert storage.tables.api_keys == {key.id: changed}
    assert [(entry.subject, entry.details["after"]) for entry in storage.tables.audit] == [
        (str(key.id), {"name": "desk"}),
        (str(key.id), {"tag": None}),
    ]
    await manage.update("desk", name="desk", actor=ada)
    assert len(storage.tables.audit) == 2


async def test_tag_that_no_account_could_have_is_refused(manage: ManageKeys) -> None:
    await manage.create("laptop")
    with pytest.raises(UnsupportedInputError):
        await manage.update("laptop", tag="a b\n")


async def test_key_is_found_by_its_id_revoked_or_not(manage: ManageKeys) -> None:
    key, _ = await manage.create("shop")
    await manage.check_active(key.id)
    revoked = await manage.revoke("shop")

    assert await manage.get(key.id) == revoked
    with pytest.raises(UnsupportedInputError, match="no active key"):
        await manage.check_active(key.id)
    with pytest.raises(NotKnownError):
        await manage.get(99)
    with pytest.raises(NotKnownError):
        await manage.update(str(key.id), name="till")


async def test_profile_is_one_that_there_is_and_is_told_in_the_audit(storage: FakeStorage, clock: FakeClock) -> None:
    manage = ManageKeys(storage.api_keys, FakeCipher(), clock, ("standard", "links"))
    ada = Actor(name="ada", door="cli")

    key, _ = await manage.create("bot", profile="links", actor=ada)
    freed = await manage.update("bot", profile="", actor=ada)

    assert (key.profile, freed.profile) == ("links", None)
    assert [entry.details for entry in storage.tables.audit] == [
        {"name": "bot", "tag": None, "profile": "links"},
        {"before": {"profile": "links"}, "after": {"profile": None}},
    ]
    with pytest.raises(UnsupportedInputError, match="no response profile 'link'; there are links, standard"):
        await manage.update("bot", profile="link")


async def test_rotated_key_has_a_new_text_and_the_former_one_goes_on_under_another_name(
    manage: ManageKeys, storage: FakeStorage
) -> None:
    first, _ = await manage.create("shop", tag="eu")

    second, text = await manage.rotate("shop", Actor(name="ada", door="console"))

    former = storage.tables.api_keys[first.id]
    assert (former.name, former.is_active, former.digest) == ("shop (old)", True, first.digest)
    assert (second.name, second.tag, second.id != first.id) == ("shop", "eu", True)
    assert second.digest == FakeCipher().digest(text, purpose=API_KEY_PURPOSE)


async def test_key_may_be_rotated_while_former_ones_are_still_in_use(manage: ManageKeys) -> None:
    await manage.create("x" * 64)
    await manage.rotate("x" * 64)
    await manage.rotate("x" * 64)

    assert [key.name for key in await manage.all()] == ["x" * 58 + " (old)", "x" * 56 + " (old 2)", "x" * 64]


async def test_profiles_are_told_in_order(storage: FakeStorage, clock: FakeClock) -> None:
    assert ManageKeys(storage.api_keys, FakeCipher(), clock, {"plain", "links"}).profiles == ["links", "plain"]


ADA = Actor(name="ada", door="cli")


async def test_rules_are_kept_changed_and_told_in_the_audit(
    manage: ManageKeys, storage: FakeStorage, clock: FakeClock
) -> None:
    rules = KeyRules(
        scopes=frozenset({KeyScope.IMAGES}),
        models=("paint*",),
        expires_at=clock.now() + timedelta(days=1),
        max_per_day=9,
    )

    key, _ = await manage.create("bot", rules=rules, actor=ADA)
    freed = await manage.update("bot", rules=NO_RULES, actor=ADA)

    assert (key.rules, freed.rules) == (rules, NO_RULES)
    assert storage.tables.api_keys[key.id].rules == NO_RULES
    told = {
        "scopes": ["images"],
        "models": ["paint*"],
        "expires_at": (clock.now() + timedelta(days=1)).isoformat(),
        "max_per_day": 9,
    }
    assert [entry.details for entry in storage.tables.audit] == [
        {"name": "bot", "tag": None, **told},
        {"before": told, "after": dict.fromkeys(told)},
    ]


async def test_rules_that_cannot_be_kept_make_and_change_nothing(manage: ManageKeys, storage: FakeStorage) -> None:
    wrong = KeyRules(max_per_day=-1)
    with pytest.raises(UnsupportedInputError):
        await manage.create("bot", rules=wrong)
    assert storage.tables.api_keys == {}

    key, _ = await manage.create("bot")
    with pytest.raises(UnsupportedInputError):
        await manage.update("bot", rules=wrong)
    assert storage.tables.api_keys == {key.id: key}


async def test_key_that_has_expired_is_changed_without_another_date(manage: ManageKeys, clock: FakeClock) -> None:
    rules = KeyRules(expires_at=clock.now() + timedelta(hours=1))
    await manage.create("bot", rules=rules)
    await clock.sleep(7200)

    renamed = await manage.update("bot", name="robot", rules=KeyRules(expires_at=rules.expires_at, max_concurrent=2))

    assert (renamed.name, renamed.rules.max_concurrent) == ("robot", 2)
    with pytest.raises(UnsupportedInputError):
        await manage.update("robot", rules=KeyRules(expires_at=clock.now()))


async def test_rotated_key_hands_its_rules_on_and_lives_as_long_again(
    manage: ManageKeys, storage: FakeStorage, clock: FakeClock
) -> None:
    first, _ = await manage.create("shop", rules=KeyRules(expires_at=clock.now() + timedelta(days=30), max_per_day=5))
    await clock.sleep(86_400)

    second, _ = await manage.rotate("shop", overlap=timedelta(hours=2))

    former = storage.tables.api_keys[first.id]
    assert former.rules == KeyRules(expires_at=clock.now() + timedelta(hours=2), max_per_day=5)
    assert second.rules == KeyRules(expires_at=clock.now() + timedelta(days=30), max_per_day=5)


async def test_overlap_ends_a_key_that_would_live_for_ever_and_lengthens_none(
    manage: ManageKeys, storage: FakeStorage, clock: FakeClock
) -> None:
    ever, _ = await manage.create("ever")
    soon, _ = await manage.create("soon", rules=KeyRules(expires_at=clock.now() + timedelta(hours=1)))
    await manage.rotate("ever", overlap=timedelta(hours=2))
    new, _ = await manage.rotate("soon", overlap=timedelta(hours=2))
    kept = storage.tables.api_keys

    assert kept[ever.id].rules.expires_at == clock.now() + timedelta(hours=2)
    assert kept[soon.id].rules == soon.rules
    assert new.rules == soon.rules


@pytest.mark.parametrize("overlap", [timedelta(), timedelta(hours=-1), timedelta(days=367)])
async def test_overlap_that_is_none_rotates_nothing(manage: ManageKeys, overlap: timedelta) -> None:
    key, _ = await manage.create("shop")
    with pytest.raises(UnsupportedInputError) as caught:
        await manage.rotate("shop", overlap=overlap)
    assert caught.value.param == "overlap"
    assert await manage.all() == [key]


class SlowKeys(FakeApiKeys):
    """Others may do something between a look at the keys and what is made of it."""

    async def all(self) -> Sequence[ApiKey]:
        found = await super().all()
        await asyncio.sleep(0)
        return found


@pytest.fixture
def slow(storage: FakeStorage, clock: FakeClock) -> ManageKeys:
    return ManageKeys(SlowKeys(storage.tables), FakeCipher(), clock)


async def test_key_that_is_revoked_while_it_is_changed_stays_revoked(slow: ManageKeys, storage: FakeStorage) -> None:
    key, _ = await slow.create("shop")

    results = await asyncio.gather(slow.revoke("shop"), slow.update("shop", tag="eu"), return_exceptions=True)

    assert not storage.tables.api_keys[key.id].is_active
    assert [type(one) for one in results] == [ApiKey, ChangedMeanwhileError]


async def test_key_that_is_changed_while_it_is_revoked_is_revoked_and_keeps_the_change(
    slow: ManageKeys, manage: ManageKeys, storage: FakeStorage
) -> None:
    key, _ = await slow.create("shop")
    revoking = asyncio.create_task(slow.revoke("shop"))
    await asyncio.sleep(0)
    await manage.update("shop", tag="eu")

    revoked = await revoking

    assert (revoked.tag, revoked.is_active) == ("eu", False)
    assert storage.tables.api_keys[key.id] == revoked


async def test_key_that_two_revoke_at_once_is_revoked_once(
    slow: ManageKeys, manage: ManageKeys, storage: FakeStorage, clock: FakeClock
) -> None:
    await slow.create("shop")
    revoking = asyncio.create_task(slow.revoke("shop", ADA))
    await asyncio.sleep(0)
    first = await manage.revoke("shop", ADA)
    clock.advance(60)

    assert await revoking == first
    assert len(storage.tables.audit) == 1


async def test_change_of_a_key_that_others_have_changed_is_refused_and_changes_nothing(
    manage: ManageKeys, storage: FakeStorage
) -> None:
    seen, _ = await manage.create("shop")
    now = await manage.update("shop", rules=KeyRules(max_per_day=5), actor=ADA)

    with pytest.raises(ChangedMeanwhileError, match="rules"):
        await manage.update("shop", rules=KeyRules(max_concurrent=1), actor=ADA, seen=seen)

    assert storage.tables.api_keys[seen.id] == now
    assert len(storage.tables.audit) == 1


async def test_key_is_rotated_once_by_several_at_once(slow: ManageKeys) -> None:
    await slow.create("shop")

    results = await asyncio.gather(*(slow.rotate("shop") for _ in range(3)), return_exceptions=True)

    assert [type(one) for one in results].count(ChangedMeanwhileError) == 2
    assert sorted(key.name for key in await slow.all()) == ["shop", "shop (old)"]


class FullAfterOne(FakeApiKeys):
    """Takes one write, and then there is no room any more."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self._writes = tables.writes

    async def add(self, key: ApiKey, audit: AuditEntry | None = None) -> ApiKey:
        if self._tables.writes > self._writes:
            raise StorageFullError("The disk is full.")
        return await super().add(key, audit)


async def test_rotation_is_one_write_that_nothing_can_come_between(
    manage: ManageKeys, storage: FakeStorage, clock: FakeClock
) -> None:
    key, _ = await manage.create("shop")
    narrow = ManageKeys(FullAfterOne(storage.tables), FakeCipher(), clock)

    second, _ = await narrow.rotate("shop", ADA)

    assert [one.name for one in storage.tables.api_keys.values()] == ["shop (old)", "shop"]
    assert [(entry.action, entry.subject) for entry in storage.tables.audit] == [
        ("key.changed", str(key.id)),
        ("key.created", str(second.id)),
    ]


async def test_rotation_that_cannot_be_written_leaves_the_key_as_it_was(
    manage: ManageKeys, storage: FakeStorage
) -> None:
    key, _ = await manage.create("shop")
    storage.tables.audit_fault = StorageFullError("The disk is full.")

    with pytest.raises(StorageFullError):
        await manage.rotate("shop", ADA)

    assert storage.tables.api_keys == {key.id: key}


async def test_keys_that_took_one_anothers_place_are_a_line(manage: ManageKeys) -> None:
    first, _ = await manage.create("shop")
    other, _ = await manage.create("till")
    second, _ = await manage.rotate("shop")
    third, _ = await manage.rotate("shop")

    assert [key.line_id for key in (first, second, third, other)] == [first.id] * 3 + [other.id]
    assert [key.line_id for key in await manage.line_of(third)] == [first.id] * 3
    assert await manage.line_of(other) == [other]


async def test_key_is_rotated_though_its_profile_is_no_more(storage: FakeStorage, clock: FakeClock) -> None:
    await ManageKeys(storage.api_keys, FakeCipher(), clock, {"links"}).create("shop", profile="links")
    manage = ManageKeys(storage.api_keys, FakeCipher(), clock)

    second, _ = await manage.rotate("shop", overlap=timedelta(hours=1))
    changed = await manage.update("shop", profile="links", tag="eu")

    assert (second.name, second.profile) == ("shop", "links")
    assert (changed.profile, changed.tag) == ("links", "eu")


async def test_rotated_key_lives_no_longer_than_any_key_may(manage: ManageKeys, clock: FakeClock) -> None:
    await manage.create("shop")
    clock.advance(LONGEST_LIFE.total_seconds() - 60)
    await manage.update("shop", rules=KeyRules(expires_at=clock.now() + LONGEST_LIFE))

    second, _ = await manage.rotate("shop")

    assert second.rules.expires_at == clock.now() + LONGEST_LIFE
