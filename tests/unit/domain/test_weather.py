"""Whose fault a fault is."""

from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.weather import Weather


def test_fault_of_the_only_account_is_nobodys() -> None:
    weather = Weather()
    weather.note(1, 0.0, went_well=True)
    assert not weather.is_own_fault(1, 1.0)


def test_fault_is_the_accounts_own_while_most_others_fare_well() -> None:
    weather = Weather()
    for account_id, went_well in ((2, True), (3, True), (4, False)):
        weather.note(account_id, 0.0, went_well=went_well)
    assert weather.is_own_fault(1, 1.0)
    weather.note(5, 1.0, went_well=False)
    assert not weather.is_own_fault(1, 2.0)


def test_only_the_latest_outcome_of_each_account_counts() -> None:
    weather = Weather()
    for _ in range(100):
        weather.note(2, 0.0, went_well=False)
    weather.note(2, 1.0, went_well=True)
    assert weather.is_own_fault(1, 2.0)


def test_outcomes_of_long_ago_do_not_count() -> None:
    weather = Weather()
    weather.note(2, 0.0, went_well=True)
    assert weather.is_own_fault(1, 120.0)
    assert not weather.is_own_fault(1, 121.0)


def test_one_busy_account_does_not_push_the_others_out() -> None:
    weather = Weather()
    for account_id in (2, 3, 4):
        weather.note(account_id, 0.0, went_well=True)
    for _ in range(5000):
        weather.note(1, 1.0, went_well=False)
    assert weather.is_own_fault(1, 2.0)


@given(st.lists(st.tuples(st.integers(1, 6), st.floats(0, 40), st.booleans())), st.integers(1, 6))
def test_agrees_with_a_scan_of_everything(outcomes: list[tuple[int, float, bool]], asked: int) -> None:
    weather, at, noted = Weather(), 0.0, []
    for account_id, later, went_well in outcomes:
        at += later
        weather.note(account_id, at, went_well=went_well)
        noted.append((account_id, at, went_well))
    latest = {one: went_well for one, when, went_well in noted if when >= at - 120.0 and one != asked}
    assert weather.is_own_fault(asked, at) is (2 * sum(latest.values()) > len(latest))
