"""Tries are counted by who can be told apart; the rest is in the tests of what counts them."""

import pytest

from flow2api.domain.usecases.count_tries import source_of


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("unix", "unix", True),
    ],
)
def test_tries_are_counted_by_subscriber(one: str, other: str, are_one: bool) -> None:
    assert (source_of(one) == source_of(other)) is are_one
