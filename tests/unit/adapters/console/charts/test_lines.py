"""Two lines over time with the band between them."""

from flow2api.adapters.console.charts.lines import LineChart, LinePoint, band_chart


def chart_of(*figures: tuple[float | None, float | None]) -> LineChart:
    steps = [LinePoint(str(at), low, high) for at, (low, high) in enumerate(figures)]
    return band_chart("Took", "", ("Median", "p95"), steps, time_word="Time", unknown_word="none")


def test_lines_and_the_band_between_them() -> None:
    chart = chart_of((1, 2), (2, 4), (1, 4))

    assert chart.low == ("0,75 50,50 100,75",)
    assert chart.high == ("0,50 50,0 100,0",)
    assert chart.bands == ("0,50 50,0 100,0 100,75 50,50 0,75",)
    assert chart.dots == ()


def test_lines_break_where_nothing_is_known() -> None:
    chart = chart_of((1, 2), (1, 2), (None, None), (1, 2), (1, None), (1, 2), (1, 2))

    assert len(chart.low) == len(chart.high) == len(chart.bands) == 2
    assert [dot.x1 for dot in chart.dots] == ["49", "49"]
    assert [row.cells for row in chart.table.rows][2:5] == [("none", "none"), ("1", "2"), ("1", "none")]


def test_single_point_is_a_dash_in_the_middle() -> None:
    chart = chart_of((2, 4))

    assert [(dot.x1, dot.x2, dot.y) for dot in chart.dots] == [("49", "51", "50"), ("49", "51", "0")]
    assert not chart.is_empty


def test_nothing_known_is_said() -> None:
    assert chart_of().is_empty
    assert chart_of((None, None)).is_empty
