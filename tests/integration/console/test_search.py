"""One search over everything that has a name or an id; and the list of places for phones."""

import re
from typing import Any

import pytest

from flow2api.domain.audit import Actor
from flow2api.domain.usecases.search import MOST

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADA = Actor(name="tests", door="cli")


async def test_what_is_found_leads_to_its_page(site: Any) -> None:
    key, _ = await site.services.operating.keys.create("windmill & <b>", actor=ADA)

    page = await site.viewer.see("/console/search?q=windmill")

    assert f'href="/console/keys/{key.id}"' in page
    assert "windmill &amp; &lt;b&gt;" in page
    assert 'href="/console/settings?option=model_routes"' in await site.viewer.see("/console/search?q=model+routes")


async def test_model_is_found_by_its_names(site: Any) -> None:
    page = await site.viewer.see("/console/search?q=GEMINI-3.1-flash")
    assert 'href="/console/models/one?name=gemini-3.1-flash-image"' in page
    assert 'href="/console/models?q=GEMINI-3.1-flash"' in page
    alias = "veo_3_1_i2v_s_fast_portrait_ultra"
    assert alias in await site.viewer.read(f"/console/search?q={alias}")


async def test_plugins_and_settings_are_found_by_their_names(site: Any) -> None:
    assert 'href="/console/plugins#plugin-' in await site.viewer.see("/console/search?q=least+busy")
    assert 'href="/console/plugins/settings?section=flow"' in await site.viewer.see("/console/search?q=labs+base+url")
    started = await site.viewer.see("/console/search?q=data_dir")
    assert 'href="/console/settings/start-up#setting-data_dir"' in started
    assert 'id="setting-data_dir"' in await site.viewer.see("/console/settings/start-up")
    labelled = await site.viewer.see("/console/search?q=routes+of+models")
    assert 'href="/console/settings?option=model_routes"' in labelled


async def test_field_says_of_every_kind_that_it_is_found(site: Any) -> None:
    page = await site.viewer.see("/console/search?q=a")
    label = re.search(r'<form class="search".*?aria-label="([^"]+)"', page, re.DOTALL)

    assert label is not None
    for kind in ("accounts", "generations", "prompts", "requests", "keys", "models", "settings", "plugins"):
        assert kind in label[1]


async def test_account_is_found_by_its_address(site: Any) -> None:
    account_id = await site.account()
    email = site.services.pool.get(account_id).email

    page = await site.viewer.see(f"/console/search?q={email}")

    assert f'href="/console/accounts/{account_id}"' in page


async def test_number_of_hits_is_told_where_it_is_all_of_them(site: Any) -> None:
    for number in range(MOST):
        assert "the first of each kind" not in await site.viewer.see("/console/search?q=pinwheel")
        await site.services.operating.keys.create(f"pinwheel {number}", actor=ADA)

    page = await site.viewer.see("/console/search?q=pinwheel")

    assert "the first of each kind" in page
    assert f"{MOST} hits" not in page


@pytest.mark.parametrize("text", ["", "%", "no-such-thing", "<script>alert(7)</script>", "x" * 600])
async def test_nothing_found_is_told_with_what_can_be_found(site: Any, text: str) -> None:
    answer = await site.viewer.browser.get("/console/search", params={"q": text})

    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "by name" in answer.text or "What are you looking for?" in answer.text


async def test_phones_find_every_place(site: Any) -> None:
    page = (await site.viewer.see("/console/more")).split('id="main"')[1].split("</main>")[0]

    for place in ("keys", "models", "requests", "connect", "settings", "plugins", "system", "audit", "you"):
        assert f'href="/console/{place}"' in page
    assert 'action="/logout"' in page
