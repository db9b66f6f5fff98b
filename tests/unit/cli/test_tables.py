import unicodedata
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from flow2api.cli.tables import GAP, NARROWEST, cells_of, printable, render, render_facts, text_of


def test_aligns_columns() -> None:
    table = render(("ID", "NAME"), [(1, "one"), (100, "a hundred")])

    assert table.splitlines() == ["ID   NAME", "1    one", "100  a hundred"]


def test_counts_wide_characters_as_two_cells() -> None:
    table = render(("NAME", "STATE"), [("東京", "on"), ("Oslo", "off")])

    assert table.splitlines() == ["NAME  STATE", "東京  on", "Oslo  off"]


def test_counts_marks_over_letters_as_none() -> None:
    assert cells_of(unicodedata.normalize("NFD", "Ärger")) == 5


def test_cuts_the_widest_column_to_the_width_of_the_terminal() -> None:
    lines = render(("ID", "NAME", "STATE"), [(1, "x" * 50, "active")], width=30).splitlines()

    assert lines == ["ID  NAME                STATE", "1   " + "x" * 17 + "…  active"]


def test_cuts_before_a_wide_character_that_would_not_fit() -> None:
    lines = render(("NAME",), [("東" * 20,)], width=10).splitlines()

    assert lines[1] == "東東東東…"


def test_never_cuts_a_column_below_what_can_be_read() -> None:
    lines = render(("A", "B"), [("x" * 30, "y" * 30)], width=4).splitlines()

    assert cells_of(lines[1]) == 2 * NARROWEST + len(GAP)


def test_takes_characters_that_steer_the_terminal_out() -> None:
    assert printable("a\x1b[31mb\nc\u202ed\x9b") == "a�[31mb�c�d�"


def test_shows_each_kind_of_value() -> None:
    berlin = datetime(2026, 11, 23, 13, 5, tzinfo=timezone(timedelta(hours=1)))

    assert [text_of(value) for value in (None, "", True, False, 0, (1, "a"), frozenset({"b", "a"}), (), berlin)] == [
        "-",
        "-",
        "yes",
        "no",
        "0",
        "1 a",
        "a b",
        "-",
        "2026-11-23 12:05",
    ]
    assert text_of(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2026-01-02 03:04"


def test_aligns_facts() -> None:
    assert render_facts([("a", 1), ("name", "x")]) == "a     1\nname  x"


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), min_size=1, max_size=5), st.integers(20, 80))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str]], width: int) -> None:
    lines = render(("ONE", "TWO"), rows, width).split("\n")

    assert len(lines) == len(rows) + 1
    assert all(cells_of(line) <= width for line in lines)
