"""Panels of the console: plain data that the console draws, so that no plugin writes HTML.

A page's policy forbids scripts and styles of its own making, and what a panel shows may come from outside; so a panel says
what there is to be seen, and the console decides how that looks.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from flow2api.domain.account import Account
from flow2api.domain.account_state import AccountState
from flow2api.domain.errors import PluginError
from flow2api.domain.proxy import ProxyState

MOST_FIGURES = 8
MOST_COLUMNS = 8
MOST_ROWS = 50
MOST_STEPS = 120
MOST_SERIES = 3
LONGEST_TEXT = 2000
LONGEST_CELL = 200
GREATEST_NUMBER = 10**15

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a letter, which no page can be made of."""


class PanelPlace(StrEnum):
    """The page on which a panel stands."""

    OVERVIEW = "overview"
    ACCOUNT = "account"
    SYSTEM = "system"


class PanelTone(StrEnum):
    """How something stands; the console adds a symbol and a colour."""

    PLAIN = "plain"
    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class ProxySeen:
    """A proxy as panels see it: without its address."""

    name: str
    pool: str | None
    is_enabled: bool
    state: ProxyState
    latency_ms: int | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelSubject:
    """What a panel is asked about.

    Attributes:
        account: The account whose page it is; None on other pages. It holds no secret.
        accounts: How many accounts are in each state.
        proxies: Every proxy.
    """

    now: datetime
    account: Account | None = None
    accounts: Mapping[AccountState, int] = field(default_factory=dict)
    proxies: Sequence[ProxySeen] = ()


@dataclass(frozen=True, slots=True)
class PanelFigure:
    """A number with its name, and a few words beside it."""

    name: str
    value: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class PanelCell:
    """A cell of a table that says how something stands."""

    text: str
    tone: PanelTone = PanelTone.PLAIN


@dataclass(frozen=True, slots=True)
class PanelTable:
    """A table.

    Attributes:
        head: The names of its columns; each row has as many cells.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str | PanelCell, ...], ...]


@dataclass(frozen=True, slots=True)
class PanelChart:
    """Bars, one for each step, with a part for each series.

    Attributes:
        summary: What there is to be seen, in a sentence.
        series: The names of the parts, three at most.
        steps: The label of each step, with a number for each series.
    """

    summary: str
    series: tuple[str, ...]
    steps: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView:
    """What a panel shows, from top to bottom; what is left out is not shown.

    Attributes:
        text: Paragraphs stand apart by empty lines; nothing in it is markup.
        tone: How the text is meant.
    """

    text: str = ""
    tone: PanelTone = PanelTone.PLAIN
    figures: tuple[PanelFigure, ...] = ()
    table: PanelTable | None = None
    chart: PanelChart | None = None


def check_view(view: object) -> PanelView:
    """The view, when it is what was promised.

    Raises:
        PluginError: It is not; the sentence says what is wrong.
    """
    if not isinstance(view, PanelView):
        raise PluginError(f"It showed an object of the type {type(view).__name__}, and no PanelView.")
    _check_text("text", view.text, LONGEST_TEXT)
    _check_tone("tone", view.tone)
    _check_count("figures", view.figures, MOST_FIGURES)
    for figure in view.figures:
        if not isinstance(figure, PanelFigure):
            raise PluginError("Its `figures` hold something else than PanelFigure.")
        for name in ("name", "value", "words"):
            _check_text(f"figures.{name}", getattr(figure, name), LONGEST_CELL)
    _check_table(view.table)
    _check_chart(view.chart)
    return view


def _check_table(table: object) -> None:
    if table is None:
        return
    if not isinstance(table, PanelTable):
        raise PluginError("Its `table` is no PanelTable.")
    _check_count("table.head", table.head, MOST_COLUMNS)
    _check_count("table.rows", table.rows, MOST_ROWS)
    for name in table.head:
        _check_text("table.head", name, LONGEST_CELL)
    for row in table.rows:
        for cell in _of_length("table", "A row", row, len(table.head)):
            _check_text("table.rows", cell.text if isinstance(cell, PanelCell) else cell, LONGEST_CELL)
            if isinstance(cell, PanelCell):
                _check_tone("table.rows", cell.tone)


def _check_chart(chart: object) -> None:
    if chart is None:
        return
    if not isinstance(chart, PanelChart):
        raise PluginError("Its `chart` is no PanelChart.")
    _check_text("chart.summary", chart.summary, LONGEST_TEXT)
    _check_count("chart.series", chart.series, MOST_SERIES)
    _check_count("chart.steps", chart.steps, MOST_STEPS)
    for name in chart.series:
        _check_text("chart.series", name, LONGEST_CELL)
    for step in chart.steps:
        label, numbers = _of_length("chart", "A step", step, 2)
        _check_text("chart.steps", label, LONGEST_CELL)
        for one in _of_length("chart", "The numbers of a step", numbers, len(chart.series)):
            if not isinstance(one, int | float) or not math.isfinite(one):
                raise PluginError("A step of its `chart` holds what is no finite number.")
            if abs(one) > GREATEST_NUMBER:
                raise PluginError(f"A step of its `chart` holds a number beyond {GREATEST_NUMBER:,}.")


def _of_length(what: str, part: str, items: object, count: int) -> tuple[object, ...]:
    if not isinstance(items, tuple) or len(items) != count:
        raise PluginError(f"{part} of its `{what}` is no tuple of {count}.")
    return items


def _check_text(what: str, text: object, most: int) -> None:
    if not isinstance(text, str):
        raise PluginError(f"Its `{what}` holds an object of the type {type(text).__name__}, where a text is expected.")
    if len(text) > most:
        raise PluginError(f"Its `{what}` holds a text of more than {most} letters.")
    if _SURROGATE.search(text):
        raise PluginError(f"Its `{what}` holds what is no text of Unicode.")


def _check_tone(what: str, tone: object) -> None:
    if not isinstance(tone, PanelTone):
        raise PluginError(f"Its `{what}` has a tone that is no PanelTone.")


def _check_count(what: str, items: object, most: int) -> None:
    if not isinstance(items, tuple) or len(items) > most:
        raise PluginError(f"Its `{what}` is no tuple of at most {most}.")
