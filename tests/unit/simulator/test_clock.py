import asyncio

import pytest

from flow2api.simulator.clock import SimClock, rfc3339
from tests.unit.simulator.player import START, FakeMonotonic


@pytest.fixture
def real() -> FakeMonotonic:
    return FakeMonotonic()


@pytest.fixture
def clock(real: FakeMonotonic) -> SimClock:
    return SimClock(real, lambda: START)


def test_runs_with_real_time_at_first(clock: SimClock, real: FakeMonotonic) -> None:
    real.seconds += 5
    assert clock.now() == START + 5


def test_keeps_the_time_it_has_when_the_speed_changes(clock: SimClock, real: FakeMonotonic) -> None:
    real.seconds += 10
    clock.set_speed(60)
    real.seconds += 2
    assert clock.now() == START + 10 + 120


def test_stands_still_at_speed_zero(clock: SimClock, real: FakeMonotonic) -> None:
    clock.set_speed(0)
    real.seconds += 1000
    assert clock.now() == START


def test_refuses_to_run_backwards(clock: SimClock) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        clock.set_speed(-1)


def test_jumps_to_a_moment_and_forward(clock: SimClock) -> None:
    clock.set(1000.0)
    clock.advance(12 * 3600)
    assert clock.now() == 1000.0 + 43_200


def test_goes_back_to_real_time_when_reset(clock: SimClock) -> None:
    clock.set_speed(0)
    clock.advance(99)
    clock.reset()
    assert (clock.now(), clock.speed) == (START, 1.0)


async def test_a_jump_wakes_those_who_sleep(clock: SimClock) -> None:
    sleeper = asyncio.create_task(clock.sleep(30 * 86_400))
    await asyncio.sleep(0)
    clock.advance(29 * 86_400)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(86_400)
    await asyncio.wait_for(sleeper, 1)


async def test_sleeps_at_the_speed_of_the_clock() -> None:
    clock = SimClock()
    clock.set_speed(10_000)
    await asyncio.wait_for(clock.sleep(100), 1)


def test_writes_times_as_the_upstream_does() -> None:
    assert rfc3339(1763181964.0) == "2025-11-15T04:46:04.000Z"
    assert rfc3339(1763181964.25, digits=6) == "2025-11-15T04:46:04.250000Z"


def test_tells_the_utc_date(clock: SimClock) -> None:
    clock.set(1763181964.0)
    assert clock.today() == "2025-11-15"
