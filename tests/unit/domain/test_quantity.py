"""Numbers of things read as people write them."""

import pytest

from flow2api.domain.quantity import counted


@pytest.mark.parametrize(
    ("number", "noun", "told"),
    [
        (0, "account", "0 accounts"),
        (1, "account", "1 account"),
        (2, "account", "2 accounts"),
        (12_345, "line", "12,345 lines"),
        (1, "proxy", "1 proxy"),
        (3, "proxy", "3 proxies"),
    ],
)
def test_one_is_told_apart_from_many(number: int, noun: str, told: str) -> None:
    assert counted(number, noun) == told
