"""Retries are a small share of the traffic, but never fewer than some."""

from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.retry_budget import RetryBudget


def take(budget: RetryBudget, at: float, percent: float = 20.0, at_least: int = 20) -> bool:
    return budget.take(at, percent=percent, at_least=at_least)


def test_twenty_a_minute_are_always_allowed() -> None:
    budget = RetryBudget()
    assert [take(budget, 1.0) for _ in range(25)] == [True] * 20 + [False] * 5
    assert not take(budget, 59.0)
    assert take(budget, 62.0)


def test_a_fifth_of_the_first_tries_is_allowed() -> None:
    budget = RetryBudget()
    for _ in range(500):
        budget.begin(0.0)
    assert sum(take(budget, 1.0) for _ in range(500)) == 100


def test_first_tries_of_the_last_minute_count_alone() -> None:
    budget = RetryBudget()
    for _ in range(500):
        budget.begin(0.0)
    assert sum(take(budget, 70.0) for _ in range(500)) == 20


def test_limits_are_what_the_operator_says() -> None:
    assert not take(RetryBudget(), 0.0, percent=0.0, at_least=0)
    assert sum(take(RetryBudget(), 0.0, percent=0.0, at_least=3) for _ in range(1)) == 1


def test_retry_of_less_than_a_minute_ago_counts_whatever_its_part_of_a_second() -> None:
    for began in (0.0, 0.9, 59.9):
        budget = RetryBudget()
        assert take(budget, began, at_least=1)
        assert not take(budget, began + 59.9, at_least=1)
        assert take(budget, began + 61.0, at_least=1)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 5.0)), max_size=400))
def test_no_minute_has_more_retries_than_its_budget(steps: list[tuple[bool, float]]) -> None:
    budget, now = RetryBudget(), 0.0
    begun, taken = list[float](), list[float]()
    for is_first, pause_s in steps:
        now += pause_s
        if is_first:
            budget.begin(now)
            begun.append(now)
        elif take(budget, now, at_least=2):
            taken.append(now)
            # A minute is counted in whole seconds, so it is up to a second longer.
            firsts = sum(1 for at in begun if at > now - 61)
            assert sum(1 for at in taken if at > now - 60) <= max(2, firsts * 0.2 + 1)
