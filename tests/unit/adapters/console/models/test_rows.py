"""What rows of models say."""

from collections.abc import Sequence

import pytest

from flow2api.adapters.console.models.rows import mode_words, plan_words, price_words, seconds_words
from flow2api.domain.account import Tier
from flow2api.domain.catalog import CostUnit, Mode


@pytest.mark.parametrize(
    ("seconds", "words"), [((8,), "8 s"), ((4, 6, 8), "4, 6, 8 s"), ((3, 4, 5), "3 to 5 s"), ((7, 8), "7, 8 s")]
)
def test_lengths_in_a_row_are_told_by_their_ends(seconds: Sequence[int], words: str) -> None:
    assert seconds_words(seconds) == words


def test_prices_are_told_in_their_unit() -> None:
    assert price_words(1500, CostUnit.CREDITS) == "1,500"
    assert price_words(134, CostUnit.USD_MILLIS) == "$0.134"
    assert price_words(800, CostUnit.USD_MILLIS) == "$0.80"


def test_every_plan_has_a_word() -> None:
    assert set(plan_words()) == set(Tier)


def test_every_way_of_making_has_words() -> None:
    assert set(mode_words()) == set(Mode)
