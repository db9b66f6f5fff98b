"""Keys of checks end, whatever becomes of their check; nobody else's do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.adapters.console.checks.check_keys import ALL_WITHIN_S, end_left_keys, is_of_check, new_key
from flow2api.domain.audit import Actor
from flow2api.domain.usecases.manage_keys import ManageKeys
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.operators import FakeApiKeys
from flow2api.testing.fakes.secrets import FakeCipher
from flow2api.testing.fakes.tables import Tables

ADA = Actor(name="ada", door="console")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys(clock: FakeClock) -> ManageKeys:
    return ManageKeys(FakeApiKeys(Tables(clock.now)), FakeCipher(), clock)


async def test_key_of_a_check_outlives_it_by_a_minute_at_most(keys: ManageKeys, clock: FakeClock) -> None:
    key, _ = await new_key(keys, clock, ADA)

    assert is_of_check(key)
    clock.advance(ALL_WITHIN_S)
    assert key.opens(clock.now())
    clock.advance(61)
    assert not key.opens(clock.now())


async def test_what_a_process_left_behind_is_revoked_and_no_key_of_a_person(keys: ManageKeys, clock: FakeClock) -> None:
    left, _ = await new_key(keys, clock, ADA)
    alike, _ = await keys.create("connection check 0123abcd")
    other, _ = await keys.create("shop")

    assert await end_left_keys(keys, clock, is_alone=True) == 1
    assert await end_left_keys(keys, clock, is_alone=True) == 0

    assert [key.id for key in await keys.all() if key.is_active] == [alike.id, other.id]
    assert (await keys.get(left.id)).revoked_at == clock.now()


async def test_check_of_another_server_keeps_its_key_until_its_time_is_over(keys: ManageKeys, clock: FakeClock) -> None:
    left, _ = await new_key(keys, clock, ADA)

    assert await end_left_keys(keys, clock, is_alone=False) == 0
    clock.advance(ALL_WITHIN_S + 61)
    assert await end_left_keys(keys, clock, is_alone=False) == 1
    assert not (await keys.get(left.id)).is_active


async def test_key_that_a_person_called_so_is_none_of_a_check(keys: ManageKeys, clock: FakeClock) -> None:
    key, _ = await new_key(keys, clock, ADA)
    longer = replace(key.rules, expires_at=clock.now() + timedelta(days=1))

    assert not is_of_check(replace(key, rules=longer))
    assert not is_of_check(replace(key, name="connection check of mine"))
