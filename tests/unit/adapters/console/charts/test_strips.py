"""Checks, slots, and what a whole is made of."""

import pytest

from flow2api.adapters.console.charts.strips import Beat, Part, beats_strip, slots_row, stack_bar


def test_strip_has_the_last_thirty_checks_and_each_kind_its_shape() -> None:
    checks = [Beat.FAILED] * 5 + [Beat.FINE] * 27 + [Beat.SLOW, Beat.NOT_RUN, Beat.FAILED]
    strip = beats_strip("27 fine", checks)

    assert [mark.x for mark in strip.marks][:2] == [0, 7]
    assert [(mark.beat, mark.x, mark.y, mark.height) for mark in strip.marks[-4:]] == [
        ("warn", 189, 7, 13),
        ("off", 196, 8, 4),
        ("err", 203, 0, 8),
        ("err", 203, 12, 8),
    ]
    assert strip.width == 208


def test_checks_that_were_not_run_yet_stand_in_front() -> None:
    strip = beats_strip("1 fine, 29 not run", [Beat.FINE])

    assert [mark.beat for mark in strip.marks] == ["off"] * 29 + ["ok"]


@pytest.mark.parametrize(
    ("used", "limit", "marks", "words"),
    [
        (1, 2, ((1, True), (10, False)), "1 / 2"),
        (3, 2, ((1, True), (10, True)), "3 / 2"),
        (0, 0, (), "0 / 0"),
        (7, None, (), "7 / no limit"),
        (7, 9, (), "7 / 9"),
    ],
)
def test_slots(used: int, limit: int | None, marks: tuple[tuple[int, bool], ...], words: str) -> None:
    row = slots_row(used, limit, unlimited_word="no limit")

    assert (row.marks, row.words) == (marks, words)


def test_whole_is_divided_with_gaps_between_the_parts() -> None:
    parts = [Part("queue", "o", 1), Part("lost", "e", 0), Part("make", "1", 3)]
    bar = stack_bar("4 seconds", parts, ["queue 1 s", "lost 0 s", "make 3 s"])

    assert [(part.colour, part.x, part.width) for part in bar.bars] == [("o", "0", "249.5"), ("1", "251.5", "748.5")]
    assert bar.legend == (("o", "queue 1 s"), ("1", "make 3 s"))


def test_nothing_has_no_parts() -> None:
    bar = stack_bar("nothing", [Part("queue", "o", 0)], ["none"])

    assert (bar.bars, bar.legend) == ((), ())
