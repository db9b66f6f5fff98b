"""Who is calling: from memory, and for a key that is new, from the database, but not for every guess."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.api_key import ApiKey
from flow2api.domain.errors import ExpiredApiKeyError, InvalidApiKeyError
from flow2api.domain.key_rules import KeyRules
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.authorize_key import API_KEY_PURPOSE, AuthorizeKey
from flow2api.testing.fakes.secrets import FakeCipher
from tests.unit.domain.usecases.stage import Stage, swap

KEY = "f2a_" + "k" * 43


class Door:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.authorize = AuthorizeKey(stage.storage.api_keys, FakeCipher(), stage.clock)
        self.lookups = 0
        original = stage.storage.api_keys.find

        async def counting(digest: bytes) -> ApiKey | None:
            self.lookups += 1
            return await original(digest)

        swap(stage.storage.api_keys, find=counting)

    async def add(self, presented: str = KEY, name: str = "key") -> ApiKey:
        digest = FakeCipher().digest(Secret(presented), purpose=API_KEY_PURPOSE)
        key = ApiKey(id=0, name=name, prefix=presented[:10], digest=digest, created_at=self.stage.clock.now())
        return await self.stage.storage.api_keys.add(key)

    async def refuses(self, presented: str | None) -> bool:
        with pytest.raises(InvalidApiKeyError) as caught:
            await self.authorize(presented)
        return caught.value.presented


@pytest.fixture
def door(stage: Stage) -> Door:
    return Door(stage)


async def test_known_key_costs_no_lookup(door: Door) -> None:
    key = await door.add()
    await door.authorize.load()
    assert await door.authorize(KEY) == key
    assert door.authorize.known(KEY) == key
    assert door.lookups == 0


async def test_key_that_was_just_made_elsewhere_works_at_once_and_is_looked_up_once(door: Door) -> None:
    await door.authorize.load()
    key = await door.add()
    assert door.authorize.known(KEY) is None
    assert [await door.authorize(KEY) for _ in range(3)] == [key] * 3
    assert door.lookups == 1


async def test_key_that_is_revoked_while_it_is_looked_up_opens_nothing(door: Door) -> None:
    key = await door.add()
    keys, find = door.stage.storage.api_keys, door.stage.storage.api_keys.find

    async def find_late(digest: bytes) -> ApiKey | None:
        found = await find(digest)
        await keys.save(replace(key, revoked_at=door.stage.clock.now()))
        await door.authorize.load()
        return found

    swap(keys, find=find_late)

    assert await door.refuses(KEY)
    assert await door.refuses(KEY)


async def test_load_that_comes_late_brings_back_nothing(door: Door) -> None:
    key = await door.add()
    keys, load = door.stage.storage.api_keys, door.stage.storage.api_keys.all
    may_end = asyncio.Event()

    async def load_late() -> Sequence[ApiKey]:
        found = await load()
        await may_end.wait()
        return found

    swap(keys, all=load_late)
    late = asyncio.create_task(door.authorize.load())
    await asyncio.sleep(0)
    await keys.save(replace(key, revoked_at=door.stage.clock.now()))
    swap(keys, all=load)
    await door.authorize.load()
    may_end.set()
    await late

    assert await door.refuses(KEY)
    assert door.authorize.known(KEY) is None


@pytest.mark.parametrize(
    ("presented", "was_presented"), [(None, False), ("", False), ("wrong", True), ("x" * 513, True)]
)
async def test_refuses_what_is_no_key(door: Door, presented: str | None, was_presented: bool) -> None:
    await door.add()
    await door.authorize.load()
    assert await door.refuses(presented) is was_presented
    assert door.authorize.known(presented) is None


async def test_overlong_guess_is_not_even_looked_up(door: Door) -> None:
    await door.refuses("x" * 513)
    assert door.lookups == 0


async def test_revoked_key_opens_nothing(door: Door) -> None:
    key = await door.add()
    await door.authorize.load()
    await door.stage.storage.api_keys.save(replace(key, revoked_at=door.stage.clock.now()))
    await door.authorize.load()
    assert await door.refuses(KEY)
    assert door.authorize.known(KEY) is None


async def test_wrong_keys_cannot_keep_the_database_busy(door: Door) -> None:
    await door.authorize.load()
    for number in range(200):
        await door.refuses(f"wrong-{number}")
    assert door.lookups == 20
    await asyncio.sleep(1)
    await door.add()
    await door.authorize(KEY)
    assert door.lookups == 21


async def test_tag_of_a_key_is_known_without_asking(door: Door) -> None:
    key = await door.add()
    await door.stage.storage.api_keys.save(replace(key, tag="eu"))
    await door.authorize.load()
    assert door.authorize.tag_of(key.id) == "eu"
    assert door.authorize.tag_of(None) is None
    assert door.authorize.tag_of(key.id + 1) is None
    assert door.lookups == 0


async def test_key_opens_until_it_expires_and_then_says_so(door: Door) -> None:
    now = door.stage.clock.now()
    key = await door.add()
    await door.stage.storage.api_keys.save(replace(key, rules=KeyRules(expires_at=now + timedelta(seconds=10))))
    await door.authorize.load()
    assert door.authorize.known(KEY) is not None
    await door.authorize(KEY)

    await door.stage.clock.sleep(10)

    assert door.authorize.known(KEY) is None
    with pytest.raises(ExpiredApiKeyError, match=r"expired on \d{4}-\d\d-\d\d at \d\d:\d\d UTC") as caught:
        await door.authorize(KEY)
    assert caught.value.code == "expired_api_key"
    assert str(caught.value) == caught.value.message


async def test_key_that_was_revoked_does_not_say_when_it_would_have_expired(door: Door) -> None:
    now = door.stage.clock.now()
    key = await door.add()
    await door.stage.storage.api_keys.save(replace(key, revoked_at=now, rules=KeyRules(expires_at=now)))
    await door.authorize.load()

    with pytest.raises(InvalidApiKeyError) as caught:
        await door.authorize(KEY)
    assert caught.value.code == "invalid_api_key"


async def test_whoever_counts_for_keys_is_told_of_all_of_them(door: Door) -> None:
    told: list[ApiKey] = []

    async def hear(keys: Sequence[ApiKey]) -> None:
        told.extend(keys)

    key = await door.add()
    await AuthorizeKey(door.stage.storage.api_keys, FakeCipher(), door.stage.clock, hear).load()

    assert told == [key]
