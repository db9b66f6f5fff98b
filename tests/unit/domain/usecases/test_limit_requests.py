"""Keys have a limit by the minute: of requests that begin something, each for itself."""

import asyncio

import pytest

from flow2api.domain.api_key import Caller
from flow2api.domain.errors import CoordinationError, KeyLimitError, NoEligibleAccountError
from flow2api.domain.generation import Finished
from flow2api.testing.fakes.coordination import FakeCoordination
from flow2api.testing.fakes.virtual_time import settle
from tests.unit.domain.usecases.stage import CALLER, FILM, PAINT, Stage
from tests.unit.domain.usecases.test_generate import once


@pytest.fixture
async def limited(stage: Stage) -> Stage:
    await stage.accounts(1)
    stage.configure(requests_per_min=2)
    return stage


async def test_request_beyond_the_limit_is_refused_until_the_minute_is_over(limited: Stage) -> None:
    await limited.made(PAINT)
    await limited.made(FILM)

    with pytest.raises(KeyLimitError, match=r"may begin 2 requests a minute") as caught:
        await limited.all_events(PAINT)

    assert 0 < caught.value.retry_after_s <= 60
    await limited.clock.sleep(caught.value.retry_after_s)
    await limited.made(PAINT)


async def test_refused_request_leaves_nothing_behind(limited: Stage) -> None:
    limited.configure(requests_per_min=1)
    await limited.made(PAINT)
    calls, rows = len(limited.upstream.calls), len(limited.tables.generations)

    with pytest.raises(KeyLimitError):
        await limited.all_events(PAINT, idempotency=once())

    assert (len(limited.upstream.calls), len(limited.tables.generations)) == (calls, rows)


async def test_other_keys_and_the_operator_are_not_meant(limited: Stage) -> None:
    for _ in range(2):
        await limited.made(PAINT)

    await limited.made(PAINT, caller=Caller(key_id=2))
    for _ in range(3):
        await limited.made(PAINT, caller=Caller(key_id=None))


async def test_repeats_of_what_was_begun_do_not_count(limited: Stage) -> None:
    for _ in range(5):
        await limited.all_events(PAINT, idempotency=once())

    await limited.made(PAINT)
    with pytest.raises(KeyLimitError):
        await limited.all_events(PAINT)


async def test_what_no_account_can_serve_counts(stage: Stage) -> None:
    stage.configure(requests_per_min=1)
    with pytest.raises(NoEligibleAccountError):
        await stage.all_events(PAINT)

    with pytest.raises(KeyLimitError):
        await stage.all_events(PAINT)


async def test_limit_that_is_switched_off_holds_nobody(limited: Stage) -> None:
    for _ in range(2):
        await limited.made(PAINT)
    limited.configure(requests_per_min=0)

    await limited.made(PAINT)


async def test_processes_that_share_it_count_together() -> None:
    here = FakeCoordination()
    one = Stage(limits=here)
    two = Stage(one.world, limits=FakeCoordination(here.meeting))
    await one.accounts(1)
    await two.load()
    for stage in (one, two):
        stage.configure(requests_per_min=2)
        await stage.made(PAINT)

    for stage in (one, two):
        with pytest.raises(KeyLimitError):
            await stage.all_events(PAINT)


async def test_nobody_else_is_asked_without_a_limit() -> None:
    here = FakeCoordination()
    stage = Stage(limits=here)
    await stage.accounts(1)
    await stage.made(PAINT)

    assert here.meeting.calls["spend"] == 0


async def test_what_cannot_be_counted_is_not_begun() -> None:
    here = FakeCoordination()
    stage = Stage(limits=here)
    await stage.accounts(1)
    stage.configure(requests_per_min=2)
    here.meeting.lose(CoordinationError("gone"))

    with pytest.raises(CoordinationError):
        await stage.all_events(PAINT, caller=CALLER)

    assert stage.tables.generations == {}


async def test_repeat_that_comes_while_it_is_counted_is_not_begun_twice() -> None:
    shared = FakeCoordination()
    stage = Stage(limits=shared)
    await stage.accounts(1)
    stage.configure(requests_per_min=5)
    shared.meeting.is_stuck = True
    both = [
        asyncio.create_task(stage.all_events(FILM, idempotency=once(None, is_retry=is_retry)))
        for is_retry in (False, True)
    ]
    await settle()
    assert shared.meeting.calls["spend"] == 2
    shared.meeting.go_on()

    ends = [(await task)[-1] for task in both]

    assert [type(end) for end in ends] == [Finished, Finished]
    assert stage.upstream.count("submit") == 1
