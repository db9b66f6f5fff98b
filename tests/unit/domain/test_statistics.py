"""Counts, and the days that quarter hours add up to."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.statistics import (
    BOUNDS_S,
    CLASSES,
    QUARTER_S,
    Counts,
    class_bounds_ms,
    day_of,
    quarter_of,
    quarters_of,
    start_of,
)

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Beirut",
    "Pacific/Apia",
    "Atlantic/Azores",
]


class TestDays:
    @pytest.mark.parametrize(
        ("zone", "day", "quarters"),
        [
            ("UTC", date(2026, 3, 29), 96),
            ("Europe/Berlin", date(2026, 3, 28), 96),
            ("Europe/Berlin", date(2026, 3, 29), 92),
            ("Europe/Berlin", date(2026, 10, 25), 100),
            ("Australia/Lord_Howe", date(2026, 4, 5), 98),
            ("Asia/Beirut", date(2026, 3, 29), 92),
            ("Asia/Kathmandu", date(2026, 7, 1), 96),
        ],
    )
    def test_day_has_the_quarters_that_the_clocks_give_it(self, zone: str, day: date, quarters: int) -> None:
        assert len(quarters_of(day, ZoneInfo(zone))) == quarters

    @given(zone=st.sampled_from(ZONES), day=st.dates(date(2000, 1, 1), date(2050, 1, 1)))
    def test_every_quarter_belongs_to_one_day(self, zone: str, day: date) -> None:
        here = ZoneInfo(zone)
        quarters, next_day = quarters_of(day, here), quarters_of(day + timedelta(days=1), here)

        assert quarters.stop == next_day.start
        assert {day_of(start_of(quarter), here) for quarter in quarters} <= {day}

    @given(
        zone=st.sampled_from(ZONES),
        moment=st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    )
    def test_moment_lies_in_a_quarter_of_its_day(self, zone: str, moment: datetime) -> None:
        here = ZoneInfo(zone)

        assert quarter_of(moment) in quarters_of(day_of(moment, here), here)
        assert timedelta() <= moment - start_of(quarter_of(moment)) < timedelta(seconds=QUARTER_S)

    def test_midnight_parts_days_in_the_operators_zone(self) -> None:
        kolkata = ZoneInfo("Asia/Kolkata")
        before = datetime(2026, 11, 23, 18, 29, 59, tzinfo=UTC)

        assert day_of(before, kolkata) == date(2026, 11, 23)
        assert day_of(before + timedelta(seconds=1), kolkata) == date(2026, 11, 24)
        assert quarter_of(before) + 1 == quarters_of(date(2026, 11, 24), kolkata).start


class TestCounts:
    def test_sums_are_taken_of_everything(self) -> None:
        one = Counts(images=1, succeeded=1, duration_ms=900, took=(0, 1, *[0] * 10))
        other = Counts(videos=2, errors=3, cancelled=4, refused=5, waited_ms=6, took=(1, 1, *[0] * 10))

        assert one + other == Counts(
            images=1, videos=2, succeeded=1, errors=3, cancelled=4, refused=5, duration_ms=900, waited_ms=6,
            took=(1, 2, *[0] * 10),
        )  # fmt: skip
        assert not Counts()
        assert one

    def test_rates_are_of_what_ended_by_itself(self) -> None:
        assert Counts(cancelled=7, refused=9).success_rate is None
        assert Counts(succeeded=3, errors=1, cancelled=7, refused=9).success_rate == 0.75

    def test_times_are_known_to_the_width_of_a_class(self) -> None:
        counts = Counts(succeeded=4, duration_ms=10_000, took=(2, 0, 0, 2, *[0] * 8))

        assert counts.mean_s == 2.5
        assert counts.percentile_s(0.5) == 0.5
        assert counts.percentile_s(0.25) == 0.25
        assert counts.percentile_s(0.75) == 3.5
        assert counts.percentile_s(1) == 5.0

    def test_of_what_took_longest_only_the_last_bound_is_known(self) -> None:
        assert Counts(succeeded=1, took=(*[0] * 11, 1)).percentile_s(0.95) == 900.0

    def test_nothing_has_no_times(self) -> None:
        assert (Counts().mean_s, Counts().percentile_s(0.5)) == (None, None)
        assert len(Counts().took) == CLASSES


def test_bounds_of_classes_are_whole_milliseconds() -> None:
    bounds = class_bounds_ms.__wrapped__()
    assert [bound / 1000 for bound in bounds] == list(BOUNDS_S)
