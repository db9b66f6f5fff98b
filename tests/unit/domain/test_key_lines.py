"""What is made for one key of a line belongs to all of it, and to nobody else."""

from dataclasses import replace

import pytest

from flow2api.domain.api_key import Caller
from flow2api.domain.key_lines import KeyLines
from flow2api.testing.samples import key_of

LINE = [replace(key_of("a"), id=1), replace(key_of("b"), id=2, first_id=1), replace(key_of("c"), id=3, first_id=1)]
ALONE = replace(key_of("d"), id=4)
OPERATOR = Caller(None)


@pytest.fixture
def lines() -> KeyLines:
    lines = KeyLines()
    lines.follow([*LINE, ALONE])
    return lines


@pytest.mark.parametrize(
    ("caller", "keys"),
    [
        (Caller(1), {1, 2, 3}),
        (Caller(3, first_id=1), {1, 2, 3}),
        (Caller(4), {4}),
        (Caller(9, first_id=1), {1, 2, 3, 9}),
        (Caller(9, first_id=4), {4, 9}),
        (OPERATOR, {None}),
    ],
)
def test_works_of_a_whole_line_are_the_callers(lines: KeyLines, caller: Caller, keys: set[int | None]) -> None:
    assert set(lines.keys_of(caller)) == keys
    assert {key for key in (None, *range(10)) if lines.owns(caller, key)} == keys


def test_line_is_known_as_it_was_followed_last(lines: KeyLines) -> None:
    assert list(lines.of_line(1)) == [1, 2, 3]
    lines.follow(LINE[:2])
    assert (list(lines.of_line(1)), list(lines.of_line(4))) == ([1, 2], [4])
