"""Options that are numbers have a least and a greatest value."""

from dataclasses import fields
from datetime import timedelta

import pytest

from flow2api.domain.options import OF_OWNERS, Options, bounds_of, unit_of


@pytest.mark.parametrize("name", [one.name for one in fields(Options) if one.type in ("int", "float", int, float)])
def test_every_default_is_within_its_bounds(name: str) -> None:
    least, most = bounds_of(name)
    assert least <= getattr(Options(), name) <= most


def test_some_tries_are_always_left_and_no_span_leaves_the_calendar() -> None:
    assert bounds_of("max_attempts")[0] >= 1
    assert bounds_of("log_days")[1] < 10**6
    assert timedelta(seconds=bounds_of("image_timeout_s")[1]) == timedelta(days=bounds_of("log_days")[1])


def test_unit_is_what_the_name_ends_in() -> None:
    assert [unit_of(name) for name in ("image_wait_s", "log_days", "retry_percent", "policy")] == [
        "seconds",
        "days",
        "percent",
        None,
    ]


def test_options_of_owners_are_options() -> None:
    assert {field.name for field in fields(Options)} >= OF_OWNERS
