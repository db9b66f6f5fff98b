"""The panel about proxies."""

from dataclasses import replace

import pytest

from flow2api.domain.panels import PanelCell, PanelPlace, PanelSubject, PanelTone, ProxySeen
from flow2api.domain.ports.panels import Panel
from flow2api.domain.proxy import ProxyState
from flow2api.plugins.panel_proxies import SHOWN, ProxiesPanel, register_console_panels
from flow2api.testing.contracts import PanelContract
from flow2api.testing.fakes.clock import START

FINE = ProxySeen("fine", None, True, ProxyState.HEALTHY, 80, START)


class TestProxiesPanel(PanelContract):
    @pytest.fixture
    def panel(self) -> Panel:
        return ProxiesPanel()


async def test_the_worst_come_first_and_those_that_are_not_used_not_at_all() -> None:
    proxies = [
        FINE,
        replace(FINE, name="slow", latency_ms=4000),
        replace(FINE, name="dead", state=ProxyState.DOWN, pool="eu", latency_ms=None),
        replace(FINE, name="off", is_enabled=False, state=ProxyState.DOWN),
    ]
    view = await ProxiesPanel().view(PanelSubject(now=START, proxies=proxies))
    assert view is not None
    assert view.table is not None
    assert view.table.rows == (
        ("dead", "eu", PanelCell("Down", PanelTone.FAULT), PanelCell("not known")),
        ("slow", PanelCell("none"), PanelCell("Works", PanelTone.FINE), "4000 ms"),
        ("fine", PanelCell("none"), PanelCell("Works", PanelTone.FINE), "80 ms"),
    )
    assert view.text == ""


async def test_no_more_are_shown_than_fit() -> None:
    proxies = [replace(FINE, name=f"p{number}") for number in range(SHOWN + 2)]
    view = await ProxiesPanel().view(PanelSubject(now=START, proxies=proxies))
    assert view is not None
    assert view.table is not None
    assert len(view.table.rows) == SHOWN
    assert view.text == "2 more are not shown."


async def test_nothing_is_shown_without_proxies() -> None:
    assert await ProxiesPanel().view(PanelSubject(now=START)) is None


def test_it_stands_on_the_overview() -> None:
    (panel,) = register_console_panels()
    assert (panel.name, panel.place) == ("proxies", PanelPlace.OVERVIEW)
    assert isinstance(panel.build({}), ProxiesPanel)
