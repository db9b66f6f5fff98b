"""Small lines beside numbers."""

import pytest

from flow2api.adapters.console.charts.sparkline import sparkline


def test_line_goes_from_the_lowest_to_the_highest() -> None:
    line = sparkline([0, 5, 10])

    assert line is not None
    assert line.runs == ("0,26 50,16 100,6",)
    assert line.areas == ("0,30 0,26 50,16 100,6 100,30",)


@pytest.mark.parametrize("values", [[], [1], [None, 3.0, None], [None, None]])
def test_fewer_than_two_values_are_no_line(values: list[float | None]) -> None:
    assert sparkline(values) is None


def test_equal_values_lie_in_the_middle() -> None:
    line = sparkline([7, 7])

    assert line is not None
    assert line.runs == ("0,16 100,16",)


def test_unknown_values_break_the_line_and_a_value_alone_is_a_dash() -> None:
    line = sparkline([1, None, 3, 2, None, 1])

    assert line is not None
    assert line.runs == ("0,26 0.5,26", "40,6 60,16", "99.5,26 100,26")
