"""Bars over time."""

from flow2api.adapters.console.charts.bars import Column, Series, histogram, stacked_bars

SERIES = (Series("Images", "1"), Series("Videos", "2"), Series("Failed", "e"))


def test_parts_stand_upon_each_other() -> None:
    chart = stacked_bars("Jobs", "", SERIES, [Column("12:00", (2, 1, 1)), Column("12:30", (0, 4, 0))], time_word="Time")

    assert [(bar.colour, bar.x, bar.y, bar.width, bar.height) for bar in chart.columns[0].bars] == [
        ("1", "6", "50", "38", "50"),
        ("2", "6", "25", "38", "25"),
        ("e", "6", "0", "38", "25"),
    ]
    assert [(bar.colour, bar.x, bar.y, bar.height) for bar in chart.columns[1].bars] == [("2", "56", "0", "100")]
    assert chart.columns[0].words == "12:00: Images 2, Videos 1, Failed 1"
    assert not chart.is_empty


def test_table_has_every_figure() -> None:
    chart = stacked_bars("Jobs", "", SERIES, [Column("12:00", (1200, 1, 0))], time_word="Time")

    assert chart.table.head == ("Time", "Images", "Videos", "Failed")
    assert [(row.label, row.cells) for row in chart.table.rows] == [("12:00", ("1,200", "1", "0"))]


def test_nothing_counted_is_said_and_not_drawn() -> None:
    for columns in ([], [Column("12:00", (0, 0, 0)), Column("12:30", (0, 0, -3))]):
        chart = stacked_bars("Jobs", "", SERIES, columns, time_word="Time")

        assert chart.is_empty
        assert [bar for column in chart.columns for bar in column.bars] == []
        assert len(chart.table.rows) == len(columns)


def test_single_step_fills_the_drawing() -> None:
    (column,) = stacked_bars("Jobs", "", SERIES[:1], [Column("now", (3,))], time_word="Time").columns

    assert [(bar.x, bar.width, bar.height) for bar in column.bars] == [("12", "76", "100")]


def test_histogram_sets_what_went_wrong_upon_what_went_well() -> None:
    chart = histogram("Requests", "", ("Fine", "Errors"), [("12:00", 3, 1), ("12:01", 0, 0)], time_word="Time")

    assert [(series.name, series.colour) for series in chart.series] == [("Fine", "1"), ("Errors", "e")]
    assert [(bar.colour, bar.y, bar.height) for bar in chart.columns[0].bars] == [("1", "25", "75"), ("e", "0", "25")]
    assert chart.columns[1].bars == ()
