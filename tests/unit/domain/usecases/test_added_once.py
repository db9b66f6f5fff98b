"""An account that two ask for in the same moment is there once."""

import asyncio

import pytest

from flow2api.domain.errors import ConflictError
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.samples import account_of, credentials_of


async def test_second_of_two_that_are_added_at_once_is_told_of_the_first() -> None:
    accounts = FakeStorage(FakeClock()).accounts

    first, second = await asyncio.gather(
        *(accounts.add([(account_of(name), credentials_of("a"))], unless_there=True) for name in "ab"),
        return_exceptions=True,
    )

    assert not isinstance(first, BaseException)
    assert isinstance(second, ConflictError)
    with pytest.raises(ConflictError, match=f"The account {first[0].id} signs in with the same"):
        raise second
