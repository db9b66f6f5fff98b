"""Panels of plugins as pages draw them."""

from collections.abc import Sequence
from dataclasses import dataclass

from flow2api.adapters.console.charts import BarChart, Column, Series, stacked_bars
from flow2api.adapters.console.language import gettext, retold
from flow2api.adapters.console.visit import Visit
from flow2api.adapters.console.wording import number
from flow2api.domain.account import Account
from flow2api.domain.panels import PanelCell, PanelChart, PanelFigure, PanelPlace, PanelTone
from flow2api.domain.redaction import redact_text
from flow2api.domain.usecases.show_panels import ShownPanel

_COLOURS = ("1", "2", "r")
_LOOKS = {
    PanelTone.PLAIN: ("", ""),
    PanelTone.FINE: ("ok", "check"),
    PanelTone.WARNING: ("warn", "triangle-alert"),
    PanelTone.FAULT: ("err", "x"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, with the look of its tone; plain ones have none."""

    text: str
    kind: str
    icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPanel:
    """A panel, ready for the template.

    Attributes:
        fault: Why it could not be shown; empty when it could.
        head: The names of the columns; empty without a table.
    """

    id: str
    name: str
    title: str
    fault: str = ""
    paragraphs: Sequence[str] = ()
    kind: str = ""
    icon: str = ""
    figures: Sequence[PanelFigure] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()
    chart: BarChart | None = None


async def panels_of(visit: Visit, place: PanelPlace, account: Account | None = None) -> Sequence[DrawnPanel]:
    """The panels of a page, those that have something to show or failed."""
    shown = await visit.doors.panels(place, account)
    return tuple(drawn(one, index) for index, one in enumerate(shown, 1))


def drawn(one: ShownPanel, index: int) -> DrawnPanel:
    """A panel as it is drawn.

    Args:
        index: Its number on the page: names of panels may hold what an id of an element cannot.
    """
    element, title, view = f"panel-{index}", retold(one.title), one.view
    if view is None:
        return DrawnPanel(id=element, name=one.name, title=title, fault=redact_text(one.fault))
    kind, icon = _LOOKS[view.tone]
    return DrawnPanel(
        id=element,
        name=one.name,
        title=title,
        paragraphs=[retold(text.strip()) for text in view.text.split("\n\n") if text.strip()],
        kind=kind,
        icon=icon,
        figures=view.figures,
        head=[retold(name) if name else "" for name in view.table.head] if view.table else (),
        rows=[[_cell(cell) for cell in row] for row in view.table.rows] if view.table else (),
        chart=None if view.chart is None else _chart(title, view.chart),
    )


def _cell(cell: str | PanelCell) -> Cell:
    if isinstance(cell, str):
        return Cell(cell, "", "")
    return Cell(retold(cell.text) if cell.text else "", *_LOOKS[cell.tone])


def _chart(title: str, chart: PanelChart) -> BarChart:
    return stacked_bars(
        title,
        chart.summary,
        [Series(name, colour) for name, colour in zip(chart.series, _COLOURS, strict=False)],
        [Column(label, tuple(map(float, numbers))) for label, numbers in chart.steps],
        time_word=gettext("Step"),
        number=number,
    )
