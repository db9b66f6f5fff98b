"""What is left is told in round numbers, and as a span where it is not sure."""

import pytest

from flow2api.adapters.console.remaining import remaining_words, round_span
from flow2api.domain.remaining_time import OVERDUE, Remaining


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (None, ""),
        (OVERDUE, "takes longer than usual"),
        (Remaining(2, 6), "a few seconds left"),
        (Remaining(36, 47), "about 40 s left"),
        (Remaining(85, 95), "about 1 min 30 s left"),
        (Remaining(700, 800), "about 12 min left"),
        (Remaining(3, 18), "up to 20 s left"),
        (Remaining(21, 118), "20 s to 2 min left"),
        (Remaining(21, 95), "20 s to 1 min 40 s left"),
    ],
)
def test_words_claim_no_more_than_is_known(left: Remaining | None, words: str) -> None:
    assert remaining_words(left) == words


def test_steps_grow_with_the_span() -> None:
    assert [round_span(seconds) for seconds in (13, 59, 64, 119, 140, 599, 640)] == [15, 60, 60, 120, 150, 600, 660]


def test_rounding_never_turns_back() -> None:
    told = [round_span(tenths / 10) for tenths in range(20_000)]

    assert told == sorted(told)
