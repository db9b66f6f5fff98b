"""The page that says whether the pool is well."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain.account import RestReason
from flow2api.domain.audit import Actor
from flow2api.domain.key_rules import KeyRules
from flow2api.domain.panels import (
    PanelCell,
    PanelChart,
    PanelFigure,
    PanelPlace,
    PanelSubject,
    PanelTable,
    PanelTone,
    PanelView,
)
from flow2api.domain.usecases.show_panels import PlacedPanel
from tests.integration.console.conftest import Site, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _fresh(site: Site) -> None:
    """What was remembered of the pool is not good any more."""
    site.services.overseeing.glance._busy._answers.clear()


async def test_the_verdict_counts_accounts_that_can_work_and_each_problem_has_its_action(site: Site) -> None:
    account_id = await site.account(email="lapsed@example.org")
    pool = site.services.pool
    account = pool.get(account_id)
    assert account is not None
    pool.put(account.resting(RestReason.AUTH_EXPIRED, site.services.clock.now()))
    await _fresh(site)
    try:
        page = await site.owner.see("/console")
        assert "ready</h1>" in page
        assert re.search(r"\d+ accounts? ha(s|ve) to be signed in anew\.", await site.owner.read("/console"))
        assert "/console/accounts?state=sign_in_expired" in page
    finally:
        pool.put(account)
        await _fresh(site)


async def test_key_that_expires_soon_is_something_to_attend_to(site: Site) -> None:
    await site.account()
    await _fresh(site)
    keys, in_days = site.services.operating.keys, site.services.clock.now() + timedelta(days=2, hours=1)
    key, _ = await keys.create("short-lived", rules=KeyRules(expires_at=in_days))
    try:
        page = await site.owner.see("/console")
        assert "The key short-lived expires in 2 days" in page
        assert f'href="/console/keys/{key.id}"' in page
    finally:
        await keys.revoke("short-lived")


async def test_what_a_page_is_made_of_is_there_without_any_script(site: Site) -> None:
    await site.account()
    await _fresh(site)
    page = await site.operator.see("/console")
    for element in ("verdict", "attention", "kpis", "running", "accounts", "latest"):
        assert page.count(f'id="{element}"') == 1
    assert ("Show as table" in page) is not ("Nothing was counted in this time." in page)
    assert "Add accounts" in page


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ("1h", "last hour, by quarter hours"),
        ("24h", "last 24 hours, by half hours"),
        ("7d", "last 7 days, by 6 hours"),
        ("30d", "last 30 days, by days"),
        ("<b>", "last 24 hours, by half hours"),
    ],
)
async def test_the_span_stands_in_the_address(site: Site, span: str, words: str) -> None:
    await site.account()
    await _fresh(site)
    page = await site.owner.see(f"/console?span={span}")
    assert words in page
    assert page.count('aria-current="true"') == 1


async def test_viewers_see_nothing_that_they_cannot_use(site: Site) -> None:
    await site.account()
    await _fresh(site)
    page = await site.viewer.see("/console")
    assert "Needs attention" in page
    assert "/console/accounts/add" not in page.split('id="first-steps"')[0]


async def test_names_of_accounts_are_shown_as_text(site: Site) -> None:
    account_id = await site.account()
    pool = site.services.pool
    account = pool.get(account_id)
    assert account is not None
    pool.put(replace(account, name="<img src=x onerror=alert(1)>"))
    await _fresh(site)
    try:
        page = await site.owner.see("/console")
        assert "<img src=x" not in page
    finally:
        pool.put(account)
        await _fresh(site)


async def test_parts_of_the_page_come_alone_when_htmx_asks(site: Site) -> None:
    headers = {"hx-request": "true", "hx-request-type": "partial", "hx-target": "main#main"}
    answer = await site.owner.browser.get("/console", headers=headers)
    assert "<!DOCTYPE html>" in answer.text


class Shown:
    """A panel that shows what it is given."""

    def __init__(self, view: object) -> None:
        self.given = view

    async def view(self, subject: PanelSubject) -> Any:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


HOSTILE = "<script>alert(1)</script> %(name)s {{ 7 * 7 }}"


async def test_panels_of_plugins_are_drawn_as_text_and_one_that_fails_harms_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.account()
    view = PanelView(
        text=HOSTILE,
        tone=PanelTone.WARNING,
        figures=(PanelFigure(HOSTILE, "41", HOSTILE),),
        table=PanelTable((HOSTILE, "State"), ((HOSTILE, PanelCell(HOSTILE, PanelTone.FAULT)),)),
        chart=PanelChart(HOSTILE, (HOSTILE,), ((HOSTILE, (3,)),)),
    )
    placed = [
        PlacedPanel("hostile", HOSTILE, PanelPlace.OVERVIEW, Shown(view)),
        PlacedPanel("broken", "Broken one", PanelPlace.OVERVIEW, Shown(ValueError(HOSTILE))),
        PlacedPanel("html", "Html", PanelPlace.SYSTEM, Shown("<b>bold</b>")),
        PlacedPanel("silent", "Never to be seen", PanelPlace.OVERVIEW, Shown(None)),
    ]
    monkeypatch.setattr(site.services.overseeing.panels, "_panels", tuple(placed))
    page = await site.owner.see("/console")
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; %(name)s {{ 7 * 7 }}") >= 8
    read = await site.owner.read("/console")
    assert "Broken one This panel failed It broke (ValueError); the log says where." in read
    assert "Never to be seen" not in read
    assert "Needs attention" in read
    system = await site.viewer.read("/console/system")
    assert "It showed an object of the type str, and no PanelView." in system


async def test_the_panel_of_the_proxies_stands_where_there_are_any(site: Site) -> None:
    await site.account()
    assert "proxies" in site.services.extensions.panels
    assert "panel-proxy" not in await site.owner.read("/console")
    actor = Actor(name="tests", door="cli")
    proxy = await site.services.operating.proxies.add("http://127.0.0.1:9", actor, name="panel-proxy")
    await site.services.proxying.choose.load()
    try:
        # The program may have tried it by now; nobody answers there.
        assert re.search("panel-proxy none (Not checked yet|Down) not known", await site.owner.read("/console"))
        chinese = text_of(await site.owner.see("/console", 200, **{"accept-language": "zh-CN"}))
        assert "panel-proxy \N{CJK UNIFIED IDEOGRAPH-65E0} " in chinese
        assert "not known" not in chinese
    finally:
        await site.services.operating.proxies.remove(proxy, actor, site.services.options())
        await site.services.proxying.choose.load()
