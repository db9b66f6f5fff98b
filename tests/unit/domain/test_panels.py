"""What a panel may show, and what is refused before a page relies on it."""

from typing import Any

import pytest

from flow2api.domain.errors import PluginError
from flow2api.domain.panels import (
    LONGEST_TEXT,
    MOST_FIGURES,
    MOST_ROWS,
    PanelCell,
    PanelChart,
    PanelFigure,
    PanelTable,
    PanelTone,
    PanelView,
    check_view,
)

TABLE = PanelTable(("Name", "State"), (("eu", PanelCell("down", PanelTone.FAULT)), ("us", "up")))
CHART = PanelChart("Rising.", ("a", "b"), (("Mon", (1, 2.5)), ("Tue", (0, 0.0))))
WHOLE = PanelView(
    text="All is well.", tone=PanelTone.FINE, figures=(PanelFigure("Left", "3", "of 4"),), table=TABLE, chart=CHART
)


def test_a_whole_view_and_an_empty_one_pass() -> None:
    assert check_view(WHOLE) is WHOLE
    assert check_view(PanelView()) == PanelView()


def view_with(**fields: Any) -> PanelView:
    return PanelView(**fields)


@pytest.mark.parametrize(
    ("view", "told"),
    [
        ("<b>html</b>", "no PanelView"),
        (view_with(text=3), "a text is expected"),
        (view_with(text="x" * (LONGEST_TEXT + 1)), "more than"),
        (view_with(tone="fine"), "no PanelTone"),
        (view_with(figures=[PanelFigure("a", "b")]), "no tuple"),
        (view_with(figures=(PanelFigure("a", "b"),) * (MOST_FIGURES + 1)), "at most"),
        (view_with(figures=("a",)), "something else than PanelFigure"),
        (view_with(figures=(PanelFigure("a", 3),)), "figures.value"),  # type: ignore[arg-type]
        (view_with(table=[("a",)]), "no PanelTable"),
        (view_with(table=PanelTable(("a",), (("b",),) * (MOST_ROWS + 1))), "at most"),
        (view_with(table=PanelTable((1,), ())), "table.head"),  # type: ignore[arg-type]
        (view_with(table=PanelTable(("a",), (("b", "c"),))), "A row of its `table`"),
        (view_with(table=PanelTable(("a",), ((None,),))), "table.rows"),  # type: ignore[arg-type]
        (view_with(table=PanelTable(("a",), ((PanelCell("x", "loud"),),))), "no PanelTone"),  # type: ignore[arg-type]
        (view_with(chart="bars"), "no PanelChart"),
        (view_with(chart=PanelChart("", ("a",) * 4, ())), "at most 3"),
        (view_with(chart=PanelChart("", ("a",), ("Mon",))), "A step of its `chart`"),  # type: ignore[arg-type]
        (view_with(chart=PanelChart("", ("a",), (("Mon", (1, 2)),))), "The numbers of a step"),
        (view_with(chart=PanelChart("", ("a",), (("Mon", (float("nan"),)),))), "no finite number"),
        (view_with(chart=PanelChart("", ("a",), (("Mon", ("1",)),))), "no finite number"),  # type: ignore[arg-type]
    ],
)
def test_what_is_not_promised_is_refused_with_the_reason(view: object, told: str) -> None:
    with pytest.raises(PluginError, match=told):
        check_view(view)
