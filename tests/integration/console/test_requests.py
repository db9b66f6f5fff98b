"""The pages of the request log: narrowed, followed, opened, taken away, emptied."""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from flow2api.domain.audit import Actor
from flow2api.domain.request_log import LogFilter
from tests.integration.console.conftest import PASSPHRASE

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADA = Actor(name="tests", door="cli")
HOSTILE = "<script>alert(1)</script>"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def key(site: Any) -> AsyncIterator[str]:
    """A client's key; with it one picture was made, and three requests were refused, one that names no model."""
    key, text = await site.services.operating.keys.create("log <b>client</b>")
    await site.services.authorize.load()
    await site.account()
    bearer = {"authorization": f"Bearer {text.reveal()}"}
    await site.owner.browser.get("/v1/videos/video_of_nobody", headers=bearer)
    await written(site, key.id, 1)
    body = {"model": "gpt-image-1", "prompt": "a mug"}
    made = await site.owner.browser.post("/v1/images/generations", json=body, headers=bearer)
    assert made.status_code == 200, made.text
    for model in ("no-such-model", HOSTILE):
        refused = {"model": model, "prompt": "a mug"}
        await site.owner.browser.post("/v1/images/generations", json=refused, headers=bearer)
    await written(site, key.id, 4)
    yield text.reveal()


async def written(site: Any, key_id: int, count: int) -> None:
    """Wait until this key has so many lines in the log."""
    async with asyncio.timeout(20):
        while len((await site.services.recording.log.page(LogFilter(key_id=key_id))).items) < count:
            await asyncio.sleep(0.02)


async def newest(site: Any, **wanted: Any) -> Any:
    """The newest line that passes."""
    return (await site.services.recording.log.page(LogFilter(**wanted))).items[0]


async def test_every_request_has_a_line_and_hostile_names_are_text(site: Any) -> None:
    page = await site.viewer.see("/console/requests")

    assert "no-such-model" in page
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "log &lt;b&gt;client" in page


async def test_line_without_a_model_is_no_choice_of_the_filter(site: Any) -> None:
    page = await site.viewer.see("/console/requests")
    models = page.split('<select name="model"')[1].split("</select>")[0]

    assert models.count('value=""') == 1
    assert "selected" not in models


async def test_filter_narrows_and_says_so(site: Any) -> None:
    text = await site.viewer.read("/console/requests?model=no-such-model&span=1h")
    rows = (await site.viewer.see("/console/requests?model=no-such-model")).split('id="request-rows"')[1]

    assert "Model: no-such-model" in text
    assert rows.count("<tr id=") == 1
    assert "Nothing matches" in await site.viewer.read("/console/requests?state=cancelled&model=no-such-model")
    assert "Nothing matches" in await site.viewer.read("/console/requests?q=req_zzzz")


@pytest.mark.parametrize("query", ["key=x", "account=-1", "state=nonsense", "before=1", "before=x-y", "q=" + "x" * 101])
async def test_filter_that_cannot_be_is_told(site: Any, query: str) -> None:
    await site.viewer.see(f"/console/requests?{query}", 422)


async def test_line_opens_beside_the_list_and_as_a_page(site: Any) -> None:
    line = await newest(site, state="completed")
    listed = await site.viewer.read(f"/console/requests?open={line.number}")
    alone = await site.viewer.see(f"/console/requests/{line.number}")

    assert line.request_id in listed
    assert "Headers, and with them keys, are never kept." in listed
    assert f"/console/generations/{line.generation_id}" in alone
    assert f"/console/accounts/{line.account_id}" in alone
    assert "waiting" in alone


async def test_line_that_is_not_there_is_told(site: Any) -> None:
    await site.viewer.see("/console/requests/999999999", 404)
    assert "not there any more" in await site.viewer.read("/console/requests?open=999999999")


async def test_refused_line_tells_why_and_leads_to_its_like(site: Any) -> None:
    line = await newest(site, state="refused")
    page = await site.viewer.see(f"/console/requests/{line.number}")

    assert "model_not_found" in page
    assert "code=model_not_found" in page


async def test_kept_body_is_shown_as_text(site: Any, key: str) -> None:
    await site.services.options.change({"log_bodies": True}, ADA)
    body = {"model": "no-such-model-either", "prompt": HOSTILE}
    await site.owner.browser.post("/v1/images/generations", json=body, headers={"authorization": f"Bearer {key}"})
    async with asyncio.timeout(20):
        while not (found := (await site.services.recording.log.page(LogFilter(model=body["model"]))).items):
            await asyncio.sleep(0.02)
    line = found[0]
    await site.services.options.change({"log_bodies": None}, ADA)

    page = await site.viewer.see(f"/console/requests/{line.number}")

    assert "Abridged" in page
    assert HOSTILE not in page
    assert key not in page


async def test_file_has_what_the_filter_lets_pass(site: Any) -> None:
    table = await site.viewer.browser.get("/console/requests/export?model=no-such-model")
    lines = await site.viewer.browser.get("/console/requests/export?form=jsonl&state=completed")

    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert {row["model"] for row in rows} == {"no-such-model"}
    assert table.headers["content-disposition"] == 'attachment; filename="requests.csv"'
    assert {json.loads(line)["state"] for line in lines.text.splitlines()} == {"completed"}
    await site.viewer.see("/console/requests/export?state=nonsense", 422)
    await site.stranger.see("/console/requests/export", 303)


async def test_tail_follows_the_filter_of_the_page_and_pauses(site: Any) -> None:
    following = await site.viewer.see("/console/requests?state=refused")
    paused = await site.viewer.see("/console/requests?state=refused&tail=off")

    address = re.search(r'hx-sse:connect="([^"]+)"', following)
    assert address is not None
    assert "view=requests" in address[1]
    assert "state=refused" in address[1]
    assert "hx-sse:connect" not in paused
    assert "Follow" in paused


async def test_older_lines_come_page_by_page_and_are_not_followed(site: Any) -> None:
    line = await newest(site)
    place = f"{round(line.at.timestamp() * 1_000_000)}-{line.number}"

    page = await site.viewer.see(f"/console/requests?before={place}")

    assert f'id="line-{line.number}"' not in page
    assert "hx-sse:connect" not in page
    assert 'href="/console/requests?span=24h"' in page


async def test_only_owners_empty_the_log_and_only_if_they_say_that_they_mean_it(site: Any) -> None:
    for person in (site.viewer, site.operator):
        assert "/console/requests/clear" not in await person.see("/console/requests")
        await person.see("/console/requests/clear", 403)
        await person.submit("/console/requests/clear", 403, sure="on")
    own = PASSPHRASE.reveal()
    for field, fields in (
        ("sure", {"passphrase": own}),
        ("passphrase", {"sure": "on"}),
        ("passphrase", {"sure": "on", "passphrase": "not the passphrase"}),
    ):
        unsure = await site.owner.submit("/console/requests/clear", 422, **fields)
        assert f'id="{field}-bad"' in unsure.text
        assert own not in unsure.text
    assert (await site.services.recording.log.page(LogFilter())).items

    await site.owner.submit("/console/requests/clear", sure="on", passphrase=own)

    page = await site.owner.read("/console/requests")
    assert "lines were forgotten" in page
    assert "Nothing in this time" in page
