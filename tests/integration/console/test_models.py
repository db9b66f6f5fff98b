"""The pages about models: what is offered, who could make it, which names lead where."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from flow2api.domain.audit import Actor
from tests.integration.console.conftest import text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADA = Actor(name="tests", door="cli")
MODEL = "gemini-3.1-flash-image"
ONE = f"/console/models/one?name={MODEL}"


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def usual_options(site: Any) -> AsyncIterator[None]:
    """Whatever a test sets is taken back."""
    yield
    await site.services.options.change({"models_off": None, "model_routes": None}, ADA)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def account(site: Any) -> None:
    """An account that has made a picture, and so is warm."""
    await site.account()
    assert (await picture(site, MODEL, "models")).status_code == 200


async def picture(site: Any, model: str, name: str) -> Any:
    """The answer to a client, who has a key of this name, that asks for a picture."""
    _, text = await site.services.operating.keys.create(name)
    await site.services.authorize.load()
    body, headers = {"model": model, "prompt": "a mug"}, {"authorization": f"Bearer {text.reveal()}"}
    return await site.owner.browser.post("/v1/images/generations", json=body, headers=headers)


async def offered(site: Any) -> set[str]:
    """The names that clients are told of."""
    _, text = await site.services.operating.keys.create()
    await site.services.authorize.load()
    answer = await site.owner.browser.get("/v1/models", headers={"authorization": f"Bearer {text.reveal()}"})
    return {one["id"] for one in answer.json()["data"]}


async def test_list_tells_who_could_make_a_model(site: Any) -> None:
    rows = (await site.viewer.see(f"/console/models?q={MODEL}")).split("<tr data-row")

    mine = next(text_of(row) for row in rows if f">{MODEL}</a>" in row)
    assert "Served" in mine
    assert "0 ready" not in mine
    assert "models" in mine


async def test_models_are_found_by_their_other_names(site: Any) -> None:
    alias = site.services.catalog.describe(MODEL).aliases[0]

    assert MODEL in await site.viewer.read(f"/console/models?q={alias}")
    assert "Nothing matches" in await site.viewer.read("/console/models?q=no-such-model")


async def test_models_come_page_by_page(site: Any) -> None:
    first = await site.viewer.see("/console/models?fixed=1")
    behind = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")

    assert first.count("<tr data-row") == 50
    assert "Back" in await site.viewer.read(behind)


async def test_line_stands_for_its_models_and_shows_what_they_made(site: Any) -> None:
    whole = await site.viewer.see("/console/models")
    line = await site.viewer.see(ONE)

    assert f">{MODEL}-landscape</a>" not in whole
    assert f">{MODEL}-landscape</a>" in line
    assert f">{MODEL}-landscape</a>" in await site.viewer.see(f"/console/models?q={MODEL}-landscape")
    async with asyncio.timeout(30):  # figures are written behind the answer
        while "Made 0" in text_of(line.split('id="today"')[1]):
            await asyncio.sleep(0.1)
            line = await site.viewer.see(ONE)


async def test_model_without_able_accounts_says_why(site: Any) -> None:
    other = next(one for one in site.services.catalog.listed() if one.min_tier.name == "ULTRA")

    text = await site.viewer.read(f"/console/models/one?name={other.id}")

    assert "Who can make it now" in text
    assert "have a lesser plan" in text or "able," in text


async def test_model_that_is_switched_off_is_not_offered_until_it_is_again(site: Any) -> None:
    await site.operator.submit("/console/models/offer", name=MODEL)

    assert MODEL not in await offered(site)
    assert "Switched off" in await site.viewer.read(ONE)
    assert MODEL in await site.viewer.read("/console/models?kind=off")
    refused = await picture(site, MODEL, "refused client")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")

    await site.operator.submit("/console/models/offer", name=MODEL, offered="1")
    assert MODEL in await offered(site)


async def test_route_is_set_changed_and_removed(site: Any) -> None:
    await site.operator.submit("/console/models/routes", name="house", targets=f"{MODEL}\r\n\r\n", was="")

    assert "house" in await offered(site)
    assert "your route" in await site.viewer.read("/console/models?q=house")
    stale = await site.operator.submit("/console/models/routes", 409, name="house", targets="gpt-image-1", was="")
    assert MODEL in stale.text
    await site.operator.submit("/console/models/routes", name="house", targets="gpt-image-1", was=MODEL)
    assert site.services.options().model_routes["house"] == ("gpt-image-1",)
    await site.operator.submit("/console/models/routes/remove", name="house")
    assert "house" not in await offered(site)


async def test_route_that_leads_nowhere_is_told_beside_the_field_and_kept(site: Any) -> None:
    hostile = "</textarea><script>alert(1)</script>"

    answer = await site.operator.submit("/console/models/routes", 422, name="house", targets=hostile)

    assert "targets-bad" in answer.text
    assert "<script>alert" not in answer.text
    assert "&lt;/textarea&gt;" in answer.text
    assert not site.services.options().model_routes


async def test_viewer_sees_no_buttons_and_changes_nothing(site: Any) -> None:
    for path in (ONE, "/console/models/routes", "/console/models"):
        main = (await site.viewer.see(path)).split('id="main"')[1].split("</main>")[0]
        assert 'method="post"' not in main
    for path in ("offer", "routes", "routes/remove"):
        await site.viewer.submit(f"/console/models/{path}", 403, name=MODEL)


@pytest.mark.parametrize("name", ["no-such-model", "<script>alert(1)</script>", ""])
async def test_model_that_there_is_not_is_told(site: Any, name: str) -> None:
    answer = await site.viewer.browser.get("/console/models/one", params={"name": name})

    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    await site.operator.submit("/console/models/offer", 404, name=name or "nothing")


async def test_calls_by_withdrawn_names_are_told_with_who_makes_them(site: Any) -> None:
    retired = site.services.catalog.retired()
    name = next(one for one in retired if site.services.catalog.describe(one).kind == "image")
    assert (await picture(site, name, "old client")).status_code == 200

    page = await site.viewer.read("/console/models")

    assert f"“{name}” by old client" in page
    assert "old client" in await site.viewer.read(f"/console/models/one?name={retired[name]}")
