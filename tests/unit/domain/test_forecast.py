"""When credits will be used up, or that it cannot be told."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from flow2api.domain.forecast import CreditsDay, Forecast, forecast

TODAY = date(2026, 11, 23)


def days(*lefts: int | None) -> Sequence[CreditsDay]:
    return [CreditsDay(TODAY - timedelta(days=len(lefts) - 1 - at), left) for at, left in enumerate(lefts)]


@pytest.mark.parametrize(
    ("lefts", "pace", "dry_in"),
    [
        ((100, 90), 10, 9),
        ((100, 95, 80), 10, 8),
        ((100, None, 80), 10, 8),
        ((900, 100, 90, 80, 70, 60, 50, 40, 30), 10, 3),  # only the last seven days count
        ((50, 40, 1000, 990, 980), 10, 98),  # the refill is left out
        ((50, 90, 70, 110, 70), None, None),  # refills that come often keep up
        ((90, 100, 70, 80, 60), 7.5, 8),  # refills that come often, and do not keep up
        ((5, 0), 5, 0),
        ((100, 100, 100), None, None),
        ((100,), None, None),
        ((None, None), None, None),
        ((), None, None),
        ((10, 20), None, None),
        ((10_000_000, 9_999_999), None, None),  # further away than anybody can tell
    ],
)
def test_forecast(lefts: Sequence[int | None], pace: float | None, dry_in: int | None) -> None:
    found = forecast(days(*lefts))

    expected = None if pace is None or dry_in is None else Forecast(pace, TODAY + timedelta(days=dry_in))
    assert found == expected


def test_expected_days_go_down_to_nothing_and_not_below() -> None:
    found = forecast(days(50, 30))

    assert found is not None
    assert found.expected(CreditsDay(TODAY, 30), 3) == [
        (TODAY + timedelta(days=1), 10.0),
        (TODAY + timedelta(days=2), 0.0),
        (TODAY + timedelta(days=3), 0.0),
    ]
    assert found.expected(CreditsDay(TODAY, None), 1) == [(TODAY + timedelta(days=1), 0.0)]
