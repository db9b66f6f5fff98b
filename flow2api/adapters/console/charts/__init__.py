"""Charts: pure functions from figures to frozen view models, which the macros of ``_macros/charts.html`` draw as SVG.

Drawings are in a box of 100 by 100 that stretches with the page; words and numbers beside them are HTML and keep their size.
Whatever is said in words comes in translated. Behind each chart stands a table with the same figures.
"""

from flow2api.adapters.console.charts.bars import Bar, BarChart, Column, Series, histogram, stacked_bars
from flow2api.adapters.console.charts.credits import CreditsChart, CreditsWords, credits_chart
from flow2api.adapters.console.charts.lines import LineChart, LinePoint, band_chart
from flow2api.adapters.console.charts.scale import Axis, Number, axis_to, plain_number
from flow2api.adapters.console.charts.sparkline import Sparkline, sparkline
from flow2api.adapters.console.charts.strips import (
    Beat,
    Beats,
    Part,
    Slots,
    StackBar,
    beats_strip,
    slots_row,
    stack_bar,
)
from flow2api.adapters.console.charts.table import ChartTable, TableRow

__all__ = [
    "Axis",
    "Bar",
    "BarChart",
    "Beat",
    "Beats",
    "ChartTable",
    "Column",
    "CreditsChart",
    "CreditsWords",
    "LineChart",
    "LinePoint",
    "Number",
    "Part",
    "Series",
    "Slots",
    "Sparkline",
    "StackBar",
    "TableRow",
    "axis_to",
    "band_chart",
    "beats_strip",
    "credits_chart",
    "histogram",
    "plain_number",
    "slots_row",
    "sparkline",
    "stack_bar",
    "stacked_bars",
]
