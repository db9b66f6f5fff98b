"""When accounts come back by themselves."""

from datetime import timedelta

from flow2api.domain.lifts import Lifts
from flow2api.testing.fakes.clock import START


def lifts_of(*moments: tuple[int, float]) -> Lifts:
    lifts = Lifts()
    for account_id, seconds in moments:
        lifts.schedule(account_id, START + timedelta(seconds=seconds))
    return lifts


def test_accounts_are_due_in_the_order_of_their_moments() -> None:
    lifts = lifts_of((1, 30), (2, 10), (3, 20), (4, 40))
    assert lifts.due(START) == []
    assert lifts.due(START + timedelta(seconds=30)) == [2, 3, 1]
    assert lifts.next_s(START + timedelta(seconds=30)) == 10


def test_earliest_moment_of_an_account_counts_and_it_is_named_once() -> None:
    lifts = lifts_of((1, 30), (1, 10), (1, 20))
    assert lifts.due(START + timedelta(seconds=60)) == [1]
    assert lifts.next_s(START) is None


def test_account_that_is_gone_is_not_due() -> None:
    lifts = lifts_of((1, 10), (2, 10))
    lifts.forget(1)
    lifts.forget(9)
    assert lifts.due(START + timedelta(seconds=10)) == [2]


def test_moment_that_has_come_is_no_time_away() -> None:
    assert lifts_of((1, 10)).next_s(START + timedelta(seconds=99)) == 0.0
