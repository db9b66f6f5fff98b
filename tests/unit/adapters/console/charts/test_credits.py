"""Credits day by day, and what is expected."""

from collections.abc import Sequence

from flow2api.adapters.console.charts.credits import CreditsChart, CreditsWords, credits_chart

WORDS = CreditsWords("Day", "Left", "forecast", "not seen")


def chart_of(seen: Sequence[int | None], expected: Sequence[float] = ()) -> CreditsChart:
    days = [(f"{day} Nov", left) for day, left in enumerate(seen, 1)]
    ahead = [(f"{day} Nov", left) for day, left in enumerate(expected, len(seen) + 1)]
    return credits_chart("Credits", "", days, ahead, WORDS)


def test_forecast_goes_on_where_the_last_look_was() -> None:
    chart = chart_of([400, 300, 200], [100, 0])

    assert chart.runs == ("0,0 25,25 50,50",)
    assert chart.areas == ("0,100 0,0 25,25 50,50 50,100",)
    assert chart.forecast == "50,50 75,75 100,100"
    assert chart.now == "50"
    assert [(row.label, row.cells) for row in chart.table.rows[2:4]] == [
        ("3 Nov", ("200",)),
        ("4 Nov, forecast", ("100",)),
    ]


def test_days_without_a_look_break_the_line() -> None:
    chart = chart_of([400, None, 200, 100, None], [50])

    assert chart.runs == ("0,0 1,0", "40,50 60,75")
    assert chart.forecast == "60,75 100,87.5"
    assert chart.now == "80"
    assert chart.table.rows[1].cells == ("not seen",)


def test_without_a_forecast_there_is_no_line_for_it() -> None:
    chart = chart_of([400, 300])

    assert (chart.forecast, chart.now, chart.is_empty) == (None, None, False)


def test_single_day_is_a_dash() -> None:
    assert chart_of([400]).runs == ("49,0 51,0",)
    assert chart_of([None, 400]).runs == ("99,0 100,0",)


def test_nothing_known_is_said_and_nothing_is_expected_of_it() -> None:
    assert chart_of([]).is_empty
    assert chart_of([None, None], [5]).forecast is None
    assert not chart_of([0]).is_empty
