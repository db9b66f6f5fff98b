"""Trying prompts by hand: the form, the run, what came of it, and the same as code."""

import asyncio
import json
import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from flow2api.app import create_app
from flow2api.domain.audit import Actor
from tests.integration.console.conftest import text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = "/console/playground"
PICTURE = "gemini-3.1-flash-image"
VIDEO = "veo_3_1_t2v_lite"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def quick_videos(site: Any) -> None:
    await site.services.options.change({"poll_interval_s": 1}, Actor(name="tests", door="cli"))


async def until(check: Callable[[], Awaitable[bool]], within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not await check():
            await asyncio.sleep(0.05)


async def make(site: Any, person: Any, **fields: Any) -> str:
    """Run the form; the address of the run."""
    answer = await person.submit(PAGE, **{"model": PICTURE, "prompt": "a hill", "do": "run", **fields})
    return str(answer.headers["location"])


async def ended(person: Any, path: str) -> str:
    """The page of a run once it is over."""

    async def is_over() -> bool:
        return "the work goes on" not in await person.see(path)

    await until(is_over)
    return str(await person.see(path))


async def test_first_prompt_becomes_a_picture(site: Any) -> None:
    await site.account()

    path = await make(site, site.operator, prompt="a quiet harbour")
    page = await ended(site.operator, path)

    assert "Done" in text_of(page)
    assert "a quiet harbour" in page
    (source, *_) = re.findall(r'<img src="(/console/playground/media/media_\w+)"', page)
    led = await site.operator.browser.get(source)
    assert led.status_code == 307
    assert led.headers["location"].startswith("/media/")
    picture = await site.operator.browser.get(led.headers["location"])
    assert picture.headers["content-type"].startswith("image/")


async def test_run_is_logged_as_playground_and_put_down_in_the_audit_log(site: Any) -> None:
    await site.account()
    page = await ended(site.owner, await make(site, site.owner, prompt="for the log"))
    assert "Done" in text_of(page)

    entries = await site.services.storage.audit_log.page(before=None, limit=5)
    assert any(entry.action == "playground.run" and entry.actor.name == "owner" for entry in entries)
    assert all("for the log" not in str(entry.details) for entry in entries)


async def test_runs_of_one_operator_are_not_shown_to_another(site: Any) -> None:
    await site.account()
    path = await make(site, site.operator, prompt="only mine")
    await ended(site.operator, path)

    def earlier_runs(page: str) -> str:
        return page.partition('id="earlier"')[2]

    assert "only mine" in earlier_runs(await site.operator.see(PAGE))
    assert "only mine" not in earlier_runs(await site.owner.see(PAGE))
    await site.owner.see(path, 404)


async def test_video_model_offers_its_own_parameters_and_the_video_plays_and_is_gone_on_with(site: Any) -> None:
    await site.account(credits=1000)
    page = await site.operator.see(f"{PAGE}?model={VIDEO}")
    assert 'name="seconds"' in page
    assert 'name="n"' not in page
    assert "Reference pictures" not in page

    path = await make(site, site.operator, model=VIDEO, prompt="a wave", seconds="4", aspect_ratio="9:16")
    page = await ended(site.operator, path)

    assert "<video controls" in page
    still = re.search(r'poster="([^"]+)"', page)
    assert still is not None
    shown = await site.operator.browser.get(still[1])
    assert shown.headers["content-type"].startswith("image/")

    href = re.search(r'href="(/console/playground\?source=[^"]+)"', page)
    assert href is not None
    form = await site.operator.see(href[1].replace("&amp;", "&"))
    assert "Goes on with" in form
    source = re.search(r'name="source"\s+value="(\w+)"\s+checked', form)
    model = re.search(r"<option selected>([^<]+)", form)
    assert source is not None
    assert model is not None
    longer = await ended(site.operator, await make(site, site.operator, model=model[1], source=source[1], prompt="on"))
    assert "Done" in text_of(longer)


async def made_by(person: Any, page: str) -> str:
    """The id of the first result on the page of a run."""
    found = re.search(r'id="result-(media_\w+)"', page)
    assert found is not None
    return found[1]


class TestFollowUps:
    async def test_picture_is_enlarged_by_one_press(self, site: Any) -> None:
        await site.account()
        page = await ended(site.operator, await make(site, site.operator, prompt="a small harbour"))
        assert "Enlarge to 2k (no credits)" in text_of(page)
        media_id = await made_by(site.operator, page)
        fields = re.search(
            r'name="model" value="(flow-upscale-image-[\w-]+-2k)"><input type="hidden" name="source" value="(\w+)"',
            page,
        )
        assert fields is not None
        assert fields[2] == media_id

        larger = await ended(
            site.operator, await make(site, site.operator, model=fields[1], source=media_id, prompt="")
        )

        assert "Done" in text_of(larger)
        assert "a small harbour" in larger
        media = site.services.storage.media
        (before,), (made,) = await media.get([media_id]), await media.get([await made_by(site.operator, larger)])
        assert (made.parent_id, made.account_id) == (media_id, before.account_id)

    async def test_what_the_plan_does_not_allow_is_told_and_not_offered(self, site: Any) -> None:
        await site.account()
        page = text_of(await ended(site.operator, await make(site, site.operator, prompt="for ultra")))
        assert "Enlarge to 4k cannot be done" in page
        assert "has not the plan that this needs: Ultra" in page

    async def test_picture_that_came_along_with_the_answer_says_why_nothing_is_made_of_it(self, site: Any) -> None:
        await site.account()
        page = await ended(site.operator, await make(site, site.operator, prompt="without a name"))
        media_id = await made_by(site.operator, page)
        media = site.services.storage.media
        (made,) = await media.get([media_id])
        await media.remove([media_id])
        await media.add([replace(made, upstream_name=None)])

        shown = text_of(await site.operator.see(f"/console/generations/gallery/{media_id}"))

        assert "Enlarge to 2k cannot be done" in shown
        assert "It came along with the answer" in shown

    async def test_viewer_page_of_a_result_offers_the_same(self, site: Any) -> None:
        await site.account()
        page = await ended(site.operator, await make(site, site.operator, prompt="in the gallery"))
        media_id = await made_by(site.operator, page)
        shown = await site.operator.see(f"/console/generations/gallery/{media_id}")
        assert "Enlarge to 2k (no credits)" in text_of(shown)
        assert f"picture={media_id}" in shown
        assert "Enlarge to" not in await site.viewer.see(f"/console/generations/gallery/{media_id}")

    async def test_video_is_enlarged_for_its_price_once(self, site: Any) -> None:
        await site.account(credits=100)
        path = await make(site, site.operator, model=VIDEO, prompt="a small wave", seconds="4")
        page = await ended(site.operator, path)
        assert "Enlarge to 1080p (50 credits)" in text_of(page)
        media_id = await made_by(site.operator, page)
        (plain,) = await site.services.storage.media.get([media_id])
        pool, form = site.services.pool, {"model": "flow-upscale-video", "source": media_id, "prompt": ""}
        maker = pool.get(plain.account_id)

        larger = await ended(site.operator, await make(site, site.operator, **form))

        assert "Done" in text_of(larger)
        (made,) = await site.services.storage.media.get([await made_by(site.operator, larger)])
        assert (made.parent_id, made.account_id) == (media_id, maker.id)
        assert pool.get(maker.id).credits == maker.credits - 50
        pool.put(replace(maker, credits=49))
        again = text_of(await site.operator.see(path))
        pool.put(replace(maker, credits=maker.credits - 50))
        assert "too few credits left for the price: 50 credits" in again

    async def test_model_that_only_builds_on_offers_the_latest_results_it_can_build_on(self, site: Any) -> None:
        await site.account(credits=1000)
        page = await ended(site.operator, await make(site, site.operator, model=VIDEO, prompt="to go on with"))
        video = await made_by(site.operator, page)
        picture = await made_by(site.operator, await ended(site.operator, await make(site, site.operator)))

        extending = await site.operator.see(f"{PAGE}?model=veo_3_1_extend")
        enlarging = await site.operator.see(f"{PAGE}?model=flow-upscale-image")
        painting = await site.operator.see(f"{PAGE}?model={PICTURE}")

        def offered(form: str, name: str) -> list[str]:
            return re.findall(rf'name="{name}"\s+value="(media_\w+)"', form)

        assert video in offered(extending, "source")
        assert picture not in offered(extending, "source")
        assert picture in offered(enlarging, "source")
        assert video not in offered(enlarging, "source")
        assert 'name="prompt"\n' not in enlarging
        assert picture in offered(painting, "kept")
        assert picture not in offered(await site.operator.see(f"{PAGE}?model={PICTURE}&picture={picture}"), "kept")[1:]

    async def test_enlarging_without_a_choice_says_what_lacks(self, site: Any) -> None:
        answer = await site.operator.send(PAGE, 422, {"model": "flow-upscale-image", "prompt": "", "do": "run"})
        assert "needs a picture to enlarge" in text_of(answer.text)

    async def test_enlarged_one_can_be_run_again_and_edited_by_what_made_it(self, site: Any) -> None:
        await site.account()
        page = await ended(site.operator, await make(site, site.operator, prompt="twice"))
        media_id = await made_by(site.operator, page)
        form = {"model": "flow-upscale-image", "source": media_id, "prompt": ""}
        larger = await ended(site.operator, await make(site, site.operator, **form))

        assert re.search(rf'name="source"\s+value="{media_id}"\s+checked', larger)
        edit = re.search(r'href="/console/playground\?picture=(\w+)&amp;model=([\w.-]+)"', larger)
        assert edit is not None
        assert (edit[1], edit[2]) == (await made_by(site.operator, larger), f"{PICTURE}-landscape")


async def test_form_keeps_pictures_while_another_model_is_chosen(site: Any) -> None:
    await site.account()
    files = {"pictures": ("one.png", png(), "image/png")}
    answer = await site.operator.send(PAGE, 200, {"model": PICTURE, "prompt": "with a mug", "do": "change"}, files)
    kept = re.search(r'name="kept" value="(media_\w+)"', answer.text)
    assert kept is not None
    assert "with a mug" in answer.text

    frames = await site.operator.send(
        PAGE, 200, {"model": "veo_3_1_i2v_lite", "prompt": "with a mug", "do": "change", "kept": kept[1]}
    )
    assert "First frame" in frames.text
    none = await site.operator.send(PAGE, 200, {"model": VIDEO, "prompt": "x", "do": "change", "kept": kept[1]})
    assert "1 chosen picture is not used" in text_of(none.text)
    dropped = await site.operator.send(PAGE, 200, {"model": PICTURE, "prompt": "x", "kept": kept[1], "drop": kept[1]})
    assert not re.search(r'type="hidden"\s+name="kept"', dropped.text)

    edited = await ended(site.operator, await make(site, site.operator, kept=kept[1], prompt="with steam"))
    assert "Done" in text_of(edited)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"prompt": "  "}, "prompt is empty"),
        ({"n": "99"}, "between 1 and 10"),
        ({"seed": "many"}, "whole number"),
        ({"model": "no-such"}, "no model of this name"),
        ({"aspect_ratio": "wide"}, "aspect_ratio must be"),
        ({"kept": "media_00000000000000000000"}, "not kept any more"),
        ({"model": "veo_3_1_extend", "source": "media_00000000000000000000"}, "not kept any more"),
        ({"model": "veo_3_1_i2v_lite"}, "needs at least"),
        ({"role": "owner"}, "not known here"),
    ],
)
async def test_wrong_field_is_told_beside_it_and_what_was_typed_is_kept(
    site: Any, fields: dict[str, str], told: str
) -> None:
    given = {"model": PICTURE, "prompt": "keep <b>me</b>", "do": "run", **fields}

    answer = await site.operator.send(PAGE, 422, given)

    assert told in text_of(answer.text)
    assert "Not saved" not in answer.text
    if "prompt" not in fields:
        assert "keep &lt;b&gt;me&lt;/b&gt;" in answer.text


async def test_file_that_is_no_picture_is_told_by_its_name(site: Any) -> None:
    files = {"pictures": ("<b>note.txt", b"no picture at all", "text/plain")}

    answer = await site.operator.send(PAGE, 422, {"model": PICTURE, "prompt": "x", "do": "run"}, files)
    assert "Not sent: 1 field to mend." in answer.text

    assert "&lt;b&gt;note.txt: " in answer.text
    assert "<b>note" not in answer.text


async def test_hostile_prompt_is_shown_as_text(site: Any) -> None:
    await site.account()
    page = await ended(site.operator, await make(site, site.operator, prompt="<script>alert(1)</script>'\"`$(id)"))

    assert "<script>alert" not in page


async def test_failure_says_why(site: Any) -> None:
    await site.account()
    await site.simulator.control.add_fault(
        "error", call="generate_*", status=400, reason="PUBLIC_ERROR_UNSAFE_GENERATION"
    )
    try:
        path = await make(site, site.operator, prompt="refused")
        page = await ended(site.operator, path)
    finally:
        await site.simulator.control.clear_faults()

    assert "Failed" in text_of(page)


async def test_pool_that_cannot_serve_is_told_in_words_and_what_was_typed_is_kept(site: Any) -> None:
    account_id = await site.account()
    await site.operator.submit("/console/accounts/bulk", do="pause", id=account_id, all="1")
    try:
        fields = {"do": "run", "model": PICTURE, "prompt": "nobody can"}
        page = text_of((await site.operator.send(PAGE, 503, fields)).text)
    finally:
        await site.operator.submit("/console/accounts/bulk", do="enable", id=account_id, all="1")

    assert re.search(r"No account can serve this now\. \d+ accounts?: paused", page), page[:800]
    assert "nobody can" in page


async def test_viewer_may_look_and_not_run(site: Any) -> None:
    page = await site.viewer.see(PAGE)

    assert "Make the picture" not in page
    await site.viewer.submit(PAGE, 403, model=PICTURE, prompt="x", do="run")


async def test_run_is_cancelled(site: Any) -> None:
    await site.account(credits=1000)
    async with site.videos_taking(3600.0):
        path = await make(site, site.operator, model=VIDEO, prompt="to be stopped")
        run_id = path.partition("run=")[2]

        answer = await site.operator.submit(f"{PAGE}/runs/{run_id}/cancel")

    assert answer.headers["location"] == path
    assert "Cancelled" in await site.operator.read(path)
    await site.owner.submit(f"{PAGE}/runs/{run_id}/cancel", 404)


async def test_form_is_filled_in_from_what_was_made_before(site: Any) -> None:
    await site.account()
    page = await ended(site.operator, await make(site, site.operator, prompt="once more", aspect_ratio="3:4", seed="7"))
    made = re.search(r"/console/generations/(gen_\w+)", page)
    assert made is not None

    again = await site.owner.see(f"{PAGE}?again={made[1]}")

    assert "once more" in again
    assert re.search(r'value="3:4"\s+checked', again)
    assert 'value="7"' in again
    await site.owner.see(f"{PAGE}?again=gen_unknown", 404)


async def test_curl_of_a_run_asks_the_api_for_the_same(site: Any) -> None:
    await site.account()
    prompt = 'it\'s @a "quoted" $HOME `test`\nsecond line'
    page = await ended(
        site.operator, await make(site, site.operator, prompt=prompt, aspect_ratio="3:4", n="2", seed="9")
    )
    found = re.search(r'<pre id="code-curl"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    words = shlex.split(text_of_pre(found[1]).replace("\\\n", ""))
    body = json.loads(words[words.index("-d") + 1])

    key, text = await site.services.operating.keys.create()
    await site.services.authorize.load()
    app: Any = create_app(site.services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        answer = await client.post(
            words[2].replace("http://127.0.0.1", ""), json=body, headers={"authorization": f"Bearer {text.reveal()}"}
        )
    await site.services.operating.keys.revoke(str(key.id))

    assert answer.status_code == 200, answer.text
    assert (body["prompt"].splitlines(), body["n"], body["seed"]) == (prompt.splitlines(), 2, 9)
    assert len(answer.json()["data"]) == 2


def text_of_pre(html: str) -> str:
    import html as entities

    return entities.unescape(html)


def png() -> bytes:
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    return out.getvalue()
