"""When an upstream is left alone, and when it is asked again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.breaker import FAILURES, OPEN_S, WINDOW_S, Breaker, BreakerState


def fail(breaker: Breaker, at: float, *accounts: int) -> bool:
    return [breaker.note(one, at, went_well=False, began=at) for one in accounts][-1]


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    assert fail(breaker, at, 1, 2, 3, 4, 5)
    return breaker


def test_is_closed_and_lets_everything_through_at_first() -> None:
    breaker = Breaker()
    assert breaker.state(0.0) is BreakerState.CLOSED
    assert breaker.admit(0.0)
    assert breaker.wait_s(0.0) is None
    assert breaker.take_turn(0.0) is None


def test_opens_at_the_fifth_failure_within_half_a_minute() -> None:
    breaker = Breaker()
    assert not fail(breaker, 0.0, 1, 2, 3, 4)
    assert breaker.state(0.0) is BreakerState.CLOSED
    assert fail(breaker, WINDOW_S, 5)
    assert breaker.state(WINDOW_S) is BreakerState.OPEN
    assert breaker.wait_s(WINDOW_S + 10) == OPEN_S - 10
    assert not breaker.admit(WINDOW_S + 10)


def test_failures_that_are_spread_out_open_nothing() -> None:
    breaker = Breaker()
    for number in range(50):
        assert not fail(breaker, number * 10.0, number)


def test_failures_among_more_successes_open_nothing() -> None:
    breaker = Breaker()
    for number in range(100):
        breaker.note(number, 0.0, went_well=True, began=0.0)
        assert not fail(breaker, 0.0, 1000 + number)


def test_one_bad_account_among_good_ones_opens_nothing_however_often_it_fails() -> None:
    breaker = Breaker()
    for account_id in (2, 3):
        breaker.note(account_id, 0.0, went_well=True, began=0.0)
    for _ in range(50):
        assert not fail(breaker, 1.0, 1)


def test_only_account_that_fails_opens_it() -> None:
    assert fail(Breaker(), 0.0, 1, 1, 1, 1, 1)


def test_wait_is_never_longer_than_half_a_minute_however_floats_add_up() -> None:
    at = 34.57287688304296
    assert at + OPEN_S - at > OPEN_S
    assert opened(at).wait_s(at) == OPEN_S


def test_lets_one_call_through_after_half_a_minute() -> None:
    breaker = opened()
    assert breaker.state(OPEN_S) is BreakerState.HALF_OPEN
    assert breaker.wait_s(OPEN_S) is None
    assert breaker.admit(OPEN_S)
    assert not breaker.admit(OPEN_S)
    assert breaker.wait_s(OPEN_S + 1) == OPEN_S - 1


def test_probe_that_goes_well_closes_it_and_forgets_the_failures() -> None:
    breaker = opened()
    assert breaker.admit(OPEN_S)
    assert breaker.note(1, OPEN_S + 1, went_well=True, began=OPEN_S)
    assert breaker.state(OPEN_S + 1) is BreakerState.CLOSED
    assert not fail(breaker, OPEN_S + 2, 1, 2, 3, 4)
    assert fail(breaker, OPEN_S + 3, 5)


def test_probe_that_fails_opens_it_for_another_half_minute() -> None:
    breaker = opened()
    assert breaker.admit(OPEN_S)
    assert breaker.note(1, OPEN_S + 5, went_well=False, began=OPEN_S)
    assert breaker.state(OPEN_S + 6) is BreakerState.OPEN
    assert breaker.wait_s(OPEN_S + 5) == OPEN_S


@pytest.mark.parametrize("went_well", [True, False])
def test_calls_that_were_under_way_decide_nothing(went_well: bool) -> None:
    breaker = opened(at=5.0)
    assert not breaker.note(9, 20.0, went_well=went_well, began=1.0)
    assert not breaker.note(9, 5.0 + OPEN_S + 1, went_well=went_well, began=1.0)
    assert breaker.state(20.0) is BreakerState.OPEN


def test_probe_that_tells_nothing_makes_way_for_another() -> None:
    breaker = opened()
    assert breaker.admit(OPEN_S)
    breaker.abandon(OPEN_S)
    assert breaker.admit(OPEN_S)


def test_probe_that_hangs_makes_way_after_half_a_minute() -> None:
    breaker = opened()
    assert breaker.admit(OPEN_S)
    assert breaker.admit(2 * OPEN_S)


def test_of_the_requests_that_wait_one_is_let_through_at_a_time() -> None:
    breaker = opened()
    assert breaker.take_turn(0.0) == OPEN_S
    assert breaker.take_turn(OPEN_S) is None
    assert breaker.take_turn(OPEN_S) == OPEN_S
    breaker.abandon(OPEN_S)
    assert breaker.take_turn(OPEN_S) is None


def test_turn_that_is_passed_on_is_the_next_ones() -> None:
    breaker = opened()
    assert breaker.take_turn(OPEN_S) is None
    breaker.pass_turn_on()
    assert breaker.take_turn(OPEN_S) is None
    assert breaker.admit(OPEN_S)
    breaker.pass_turn_on()
    assert breaker.take_turn(OPEN_S) == OPEN_S


def test_tells_operators_how_it_stands() -> None:
    status = opened().status(10.0)
    assert (status.state, status.retry_after_s, status.failures, status.outcomes) == (BreakerState.OPEN, 20.0, 5, 5)
    assert Breaker().status(0.0).retry_after_s == 0.0


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(1, 5), st.booleans())))
def test_never_stays_open_without_asking_and_never_opens_on_few_failures(
    calls: list[tuple[float, int, bool]],
) -> None:
    breaker, at, failures = Breaker(), 0.0, list[float]()
    for later, account_id, went_well in calls:
        at += later
        was = breaker.state(at)
        if not breaker.admit(at):
            assert breaker.wait_s(at) is not None
            assert (breaker.wait_s(at) or 0) <= OPEN_S
            continue
        assert was is not BreakerState.OPEN
        breaker.note(account_id, at, went_well=went_well, began=at)
        failures = [one for one in failures if one >= at - WINDOW_S] + ([] if went_well else [at])
        if was is BreakerState.CLOSED and breaker.state(at) is BreakerState.OPEN:
            assert len(failures) >= FAILURES
    assert breaker.admit(at + 2 * OPEN_S)
