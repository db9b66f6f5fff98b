"""The page of an account as it is put together."""

from datetime import date

import pytest

from flow2api.adapters.console.accounts.one_views import credits_of
from flow2api.domain.forecast import CreditsDay
from flow2api.domain.usecases.read_credits import CreditsOutlook

DAYS = [date(2026, 11, number) for number in (21, 22, 23)]


@pytest.mark.parametrize(
    ("left", "summary"),
    [
        ((None, None, None), "Nothing is known yet."),
        ((None, None, 1000), "1,000 on Nov 23."),
        ((1200, None, 1000), "From 1,200 to 1,000."),
    ],
)
def test_summary_of_credits_says_as_much_as_is_known(left: tuple[int | None, ...], summary: str) -> None:
    outlook = CreditsOutlook([CreditsDay(day, one) for day, one in zip(DAYS, left, strict=True)], None)
    assert credits_of("ada", outlook).summary == summary
