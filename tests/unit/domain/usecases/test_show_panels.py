"""Panels of plugins, each on its own: one that fails, hangs or shows nonsense harms no page."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from flow2api.domain.account_state import AccountState
from flow2api.domain.errors import PluginError
from flow2api.domain.panels import PanelChart, PanelPlace, PanelSubject, PanelView, ProxySeen
from flow2api.domain.ports.panels import Panel
from flow2api.domain.proxy import Proxy, ProxyHealth, ProxyState
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.show_panels import PlacedPanel, ShownPanel, ShowPanels
from flow2api.testing.factories import AccountFactory
from flow2api.testing.fakes.clock import START
from tests.unit.domain.usecases.test_glance_at_pool import Hill

PROXY = Proxy(
    id=1,
    name="eu",
    url=Secret("http://user:pass@proxy:1"),
    address="http://proxy:1",
    created_at=START,
    health=ProxyHealth(state=ProxyState.DOWN, latency_ms=70),
)


class Telling:
    """Shows what it is given, and remembers what it was asked about."""

    def __init__(self, view: object = PanelView(text="here")) -> None:
        self.given, self.asked = view, list[PanelSubject]()

    async def view(self, subject: PanelSubject) -> Any:
        self.asked.append(subject)
        if isinstance(self.given, BaseException):
            raise self.given
        if self.given == "hang":
            await asyncio.Event().wait()
        return self.given


def placed(name: str, panel: Panel, place: PanelPlace = PanelPlace.OVERVIEW) -> PlacedPanel:
    return PlacedPanel(name, name.title(), place, panel)


def shower(*panels: PlacedPanel, accounts: int = 0) -> ShowPanels:
    hill = Hill(accounts=accounts)
    hill.glance._proxies = lambda: (PROXY,)
    return ShowPanels(panels, hill.glance, hill.clock, timeout_s=0.05)


async def test_panels_of_the_page_are_asked_about_what_it_is_about() -> None:
    here, elsewhere, account = Telling(), Telling(), AccountFactory.build()
    show = shower(placed("mine", here, PanelPlace.ACCOUNT), placed("other", elsewhere), accounts=2)
    assert await show(PanelPlace.ACCOUNT, account) == (ShownPanel("mine", "Mine", PanelView(text="here")),)
    assert elsewhere.asked == []
    (subject,) = here.asked
    assert (subject.now, subject.account) == (START, account)
    assert sum(subject.accounts.values()) == 2
    assert subject.accounts.keys() == set(AccountState)
    assert subject.proxies == (ProxySeen("eu", None, True, ProxyState.DOWN, 70, None),)


async def test_a_page_without_panels_asks_nobody() -> None:
    assert await shower()(PanelPlace.SYSTEM) == ()


async def test_a_panel_with_nothing_to_show_is_not_there() -> None:
    assert await shower(placed("mine", Telling(None)))(PanelPlace.OVERVIEW) == ()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (ValueError("token ya29.secret"), "It broke (ValueError); the log says where."),
        (PluginError("It is not set up."), "It is not set up."),
        ("hang", "It did not come to an end within 0.05 s."),
        (asyncio.CancelledError(), "It broke (CancelledError); the log says where."),
        (SystemExit(1), "It broke (SystemExit); the log says where."),
        (
            PanelView(chart=PanelChart("much", ("a",), (("b", (1e308,)),))),
            "A step of its `chart` holds a number beyond 1,000,000,000,000,000.",
        ),
        (PanelView(text="\ud800"), "Its `text` holds what is no text of Unicode."),
        ("<script>", "It showed an object of the type str, and no PanelView."),
    ],
)
async def test_one_that_fails_leaves_the_others_as_they_are(
    given: object, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = Telling(given), Telling()
    show = shower(placed("bad", bad), placed("good", good))
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            shown = await show(PanelPlace.OVERVIEW)
            assert [one.view for one in shown] == [None, PanelView(text="here")]
            assert [one.fault for one in shown] == [told, ""]
    assert [record.panel for record in caplog.records] == ["bad"]  # type: ignore[attr-defined]

    bad.given = PanelView()
    assert [one.fault for one in await show(PanelPlace.OVERVIEW)] == ["", ""]
    bad.given = replace(PanelView(), text=3)  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        await show(PanelPlace.OVERVIEW)
    assert len(caplog.records) == 2


async def test_whoever_leaves_the_page_ends_what_its_panels_do() -> None:
    slow = Telling("hang")
    asking = asyncio.create_task(shower(placed("slow", slow))(PanelPlace.OVERVIEW))
    while not slow.asked:
        await asyncio.sleep(0)

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
