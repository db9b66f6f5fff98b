"""Axes end at round numbers, and labels do not crowd."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.console.charts.scale import axis_to, place, plain_number, time_labels


@pytest.mark.parametrize(
    ("largest", "labels"),
    [
        (0, ["1", "0"]),
        (1, ["1", "0"]),
        (2, ["2", "1", "0"]),
        (3, ["3", "2", "1", "0"]),
        (7, ["8", "6", "4", "2", "0"]),
        (338, ["400", "300", "200", "100", "0"]),
        (24_402, ["30,000", "22,500", "15,000", "7,500", "0"]),
        (float("inf"), ["1", "0"]),
        (-5, ["1", "0"]),
    ],
)
def test_axis_of_counted_things_has_whole_numbers(largest: float, labels: list[str]) -> None:
    assert [line.label for line in axis_to(largest).lines] == labels


def test_axis_of_measured_things_may_have_parts() -> None:
    axis = axis_to(0.3, lambda value: f"{value:.3g} s", is_whole=False)

    assert [line.label for line in axis.lines] == ["0.3 s", "0.225 s", "0.15 s", "0.075 s", "0 s"]
    assert [line.y for line in axis.lines] == ["0", "25", "50", "75", "100"]


@given(st.floats(0.001, 1e12))
def test_axis_has_room_for_the_largest_and_not_twice_as_much(largest: float) -> None:
    top = axis_to(largest, is_whole=False).top

    assert largest * (1 - 1e-6) <= top <= largest * 2


def test_figures_stand_between_the_edges() -> None:
    axis = axis_to(100)

    assert [axis.y(value) for value in (0, 25, 100, 500, -5)] == [100, 75, 0, 0, 100]


@pytest.mark.parametrize(
    ("value", "written"), [(1.0, "1"), (2.005, "2"), (0.126, "0.13"), (33.3333, "33.33"), (0, "0")]
)
def test_places_are_short(value: float, written: str) -> None:
    assert place(value) == written


@pytest.mark.parametrize(("value", "written"), [(1234567, "1,234,567"), (3.0, "3"), (3.14159, "3.1")])
def test_plain_numbers(value: float, written: str) -> None:
    assert plain_number(value) == written


def test_few_labels_are_all_there_and_of_many_nine() -> None:
    assert [label.text for label in time_labels(["a", "b"])] == ["a", "b"]
    many = time_labels([str(number) for number in range(49)])
    assert [label.text for label in many] == ["0", "6", "12", "18", "24", "30", "36", "42", "48"]
    assert [label.may_go for label in many[:3]] == [False, True, False]
    assert time_labels([]) == ()
