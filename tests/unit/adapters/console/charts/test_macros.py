"""The macros draw what the view models say, escape whatever is said, and need nothing that the strict policy forbids."""

import re
from xml.etree import ElementTree as ET

import jinja2
import pytest

from flow2api.adapters.console.charts import (
    Beat,
    Column,
    CreditsWords,
    LinePoint,
    Part,
    Series,
    band_chart,
    beats_strip,
    credits_chart,
    histogram,
    slots_row,
    sparkline,
    stack_bar,
    stacked_bars,
)
from flow2api.adapters.console.folders import template_folder

HOSTILE = "\"><script>alert('x')</script>&{{ 7*7 }}"
WORDS = CreditsWords(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
NAMES = (HOSTILE, HOSTILE)

CHARTS = {
    "bars": stacked_bars(HOSTILE, HOSTILE, [Series(HOSTILE, "1")], [Column(HOSTILE, (3,))], time_word=HOSTILE),
    "lines": band_chart(
        HOSTILE, HOSTILE, NAMES, [LinePoint(HOSTILE, 1, 2), LinePoint("b", 1, 2), LinePoint("c", None, None)],
        time_word=HOSTILE, unknown_word=HOSTILE,
    ),
    "credits": credits_chart(HOSTILE, HOSTILE, [(HOSTILE, 5), ("b", 4)], [(HOSTILE, 3.0)], WORDS),
    "beats": beats_strip(HOSTILE, [Beat.FINE, Beat.SLOW, Beat.FAILED]),
    "slots": slots_row(1, 2, unlimited_word=HOSTILE),
    "stack": stack_bar(HOSTILE, [Part(HOSTILE, "o", 1)], [HOSTILE]),
    "spark": sparkline([1, 2, None, 1]),
    "bars_legend": stacked_bars(HOSTILE, HOSTILE, [Series(HOSTILE, "e")], [Column("a", (1,))], time_word=HOSTILE),
    "lines_legend": band_chart(HOSTILE, HOSTILE, NAMES, [LinePoint("a", 1, 2)], time_word=HOSTILE, unknown_word=HOSTILE),
    "credits_legend": credits_chart(HOSTILE, HOSTILE, [(HOSTILE, 5)], [(HOSTILE, 3.0)], WORDS),
}  # fmt: skip


def drawn(macro: str, *given: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["_"] = lambda text, **facts: text % facts if facts else text
    return str(getattr(environment.get_template("_macros/charts.html").module, macro)(*given))


def elements(html: str) -> list[ET.Element]:
    """Everything in it; what is not well-formed raises."""
    return list(ET.fromstring(f"<div>{html}</div>").iter())


@pytest.mark.parametrize("macro", CHARTS)
def test_hostile_words_are_shown_as_words(macro: str) -> None:
    html = drawn(macro, CHARTS[macro])

    assert "<script" not in html
    assert {element.tag for element in elements(html)}.isdisjoint({"script", "style", "foreignObject"})
    shown = [text for element in elements(html) for text in (element.text or "", *element.attrib.values())]
    assert macro in ("spark", "slots") or any(HOSTILE in text for text in shown)


@pytest.mark.parametrize("macro", CHARTS)
def test_nothing_is_inline(macro: str) -> None:
    for element in elements(drawn(macro, CHARTS[macro])):
        assert not [name for name in element.attrib if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("macro", ["bars", "lines", "credits"])
def test_chart_has_a_name_and_a_table_behind_it(macro: str) -> None:
    found = elements(drawn(macro, CHARTS[macro], "tall"))

    (drawing,) = [element for element in found if element.get("role") == "img"]
    assert drawing.get("aria-label") == f"{HOSTILE}. {HOSTILE}"
    assert drawing.get("preserveAspectRatio") == "none"
    assert [element.text for element in found if element.tag == "summary"] == ["Show as table"]
    assert [element.get("scope") for element in found if element.tag == "th"].count("row") >= 1
    assert "chart tall" in [element.get("class") for element in found]


@pytest.mark.parametrize(
    ("macro", "chart"),
    [
        ("bars", histogram("Requests", "", ("a", "b"), [("12:00", 0, 0)], time_word="Time")),
        ("lines", band_chart("Took", "", ("a", "b"), [], time_word="Time", unknown_word="none")),
        ("credits", credits_chart("Credits", "", [], [], CreditsWords("a", "b", "c", "d"))),
    ],
)
def test_nothing_to_show_is_said(macro: str, chart: object) -> None:
    html = drawn(macro, chart)

    assert "Nothing was counted in this time." in html
    assert "<svg" not in html
    assert "Show as table" not in html
    assert drawn(f"{macro}_legend", chart).strip() == ""


def test_line_that_is_none_draws_nothing() -> None:
    assert drawn("spark", None).strip() == ""


def test_day_of_half_hours_is_a_few_kilobytes() -> None:
    columns = [Column(f"{at // 2:02}:{at % 2 * 30:02}", (120 + at, 40, 3)) for at in range(48)]
    series = [Series("Images", "1"), Series("Videos", "2"), Series("Failed", "e")]
    html = drawn("bars", stacked_bars("Jobs", "", series, columns, time_word="Time"))

    assert len(html.encode()) < 30_000
    assert len(re.findall("<rect", html)) == 48 * 3
