"""What operators see of generations and do with them: the list, the gallery, one of them, and what viewers may not."""

import html
import io
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from flow2api.domain.generation import FailedAttempt, Fault, GenerationRequest, Passage, Phase, State
from flow2api.domain.media import MediaKind
from flow2api.domain.request_log import LogFilter
from flow2api.domain.usecases import find_prompts
from flow2api.domain.usecases.draw_previews import MAX_BYTES
from flow2api.domain.usecases.operate_generations import OPERATOR
from flow2api.testing.samples import generation_of, media_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = "<script>alert(1)</script> & 'quotes'"
LIST = "/console/generations"


async def make(site: Any, prompt: str, *, is_video: bool = False) -> Any:
    """A generation of the operator's own, begun through the same use case as all others."""
    services = site.services
    kind = MediaKind.VIDEO if is_video else MediaKind.IMAGE
    name = next(one.name for one in services.catalog.specs() if one.kind is kind and one.min_images == 0)
    spec = services.catalog.spec(name)
    request = GenerationRequest(model=name, spec=spec, prompt=prompt, door="console")
    (made,) = await services.generate.begin(request, OPERATOR)
    return made


async def done(site: Any, prompt: str) -> Any:
    """The same, come to its end."""
    made = await make(site, prompt)
    while made.id in site.services.work:
        await site.services.clock.sleep(0.01)
    ended = await site.services.operating.generations.get(made.id)
    assert ended.state is State.COMPLETED, ended.fault
    return ended


@pytest_asyncio.fixture(autouse=True, scope="module", loop_scope="session")
async def no_video_ends(site: Any) -> AsyncIterator[None]:
    """Each video here is looked at while it is made, or cancelled."""
    async with site.videos_taking(3600.0):
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def account(site: Any) -> int:
    return int(await site.account())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def picture(site: Any, account: int) -> Any:
    return await done(site, HOSTILE)


async def test_list_tells_what_ended_last_and_shows_prompts_as_text(site: Any, picture: Any) -> None:
    page = await site.viewer.see(LIST)

    assert "Just finished" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert f'href="{LIST}/{picture.id}"' in page


async def test_running_one_is_listed_with_its_phase_and_can_be_cancelled(site: Any, account: int) -> None:
    video = await make(site, "a boat that is cancelled", is_video=True)

    page = await site.operator.see(LIST)
    assert f'id="row-{video.id}"' in page
    assert "hx-sse:connect" in page
    answer = await site.operator.submit(f"{LIST}/act", cancel=video.id, next=LIST)

    assert answer.headers["location"] == LIST
    assert "1 generation cancelled." in await site.operator.read(LIST)
    assert (await site.services.operating.generations.get(video.id)).state is State.CANCELLED
    assert f'id="row-{video.id}"' in await site.operator.see(f"{LIST}?state=cancelled")


async def test_running_one_tells_how_long_it_may_still_take(site: Any, account: int) -> None:
    services = site.services
    video = await make(site, "a boat that takes its time", is_video=True)
    for number in range(5):
        at = services.clock.now()
        begun = (Passage(Phase.SUBMITTING, 0),)
        like_it = {"spec_name": video.spec_name, "created_at": at - timedelta(minutes=20), "passages": begun}
        ended = generation_of(f"video_like_it_{number}").changed(**like_it, state=State.COMPLETED, ended_at=at)
        services.overseeing.foresee_ends.ended(ended)
    while services.work.job(video.id).generation.phase is None:
        await services.clock.sleep(0.01)

    pages = [await site.viewer.read(path) for path in (LIST, f"{LIST}/{video.id}", "/console")]
    await site.operator.submit(f"{LIST}/act", cancel=video.id, next=LIST)

    assert ["about 20 min left" in page for page in pages] == [True, True, True]


async def test_selected_ones_are_cancelled_and_those_that_cannot_be_are_told(site: Any, picture: Any) -> None:
    video = await make(site, "a boat among others", is_video=True)

    fields = {"one": [video.id, picture.id], "act": "cancel", "next": f"{LIST}?state=queued"}
    answer = await site.operator.send(f"{LIST}/act", 303, fields)

    assert answer.headers["location"] == f"{LIST}?state=queued"
    told = await site.operator.read(LIST)
    assert "1 generation cancelled. Not possible with 1: It had ended before" in told
    await site.operator.submit(f"{LIST}/act", act="cancel", next=LIST)
    assert "Nothing was selected." in await site.operator.read(LIST)


async def test_repeated_one_leads_to_the_new_one(site: Any, picture: Any) -> None:
    answer = await site.operator.submit(f"{LIST}/act", repeat=picture.id, next=LIST)

    made = answer.headers["location"].removeprefix(f"{LIST}/")
    assert made != picture.id
    assert "Asked for once more." in await site.operator.read(answer.headers["location"])
    while made in site.services.work:
        await site.services.clock.sleep(0.01)
    assert (await site.services.operating.generations.get(made)).prompt == HOSTILE


async def test_page_of_an_account_lists_what_it_works_on_before_what_it_ended(
    site: Any, account: int, picture: Any
) -> None:
    video = await make(site, "a boat on the page of its account", is_video=True)
    while (await site.services.operating.generations.get(video.id)).account_id is None:
        await site.services.clock.sleep(0.01)
    served = (await site.services.operating.generations.get(video.id)).account_id
    while not (await site.services.recording.log.page(LogFilter(text=picture.id))).items:
        await site.services.clock.sleep(0.05)

    page = await site.viewer.see(f"/console/accounts/{served}")
    await site.operator.submit(f"{LIST}/act", cancel=video.id, next=LIST)

    ids = re.findall(r'class="mono" href="/console/generations/(\w+)"', page)
    assert ids[0] == video.id
    if picture.account_id == served:
        assert picture.id in ids
    assert len(ids) == len(set(ids)) <= 6


async def test_what_cannot_be_repeated_is_told_where_it_was_asked(site: Any, account: int) -> None:
    answer = await site.operator.submit(f"{LIST}/act", repeat="gen_none", next=LIST)

    assert answer.headers["location"] == LIST
    assert 'class="toast err"' in await site.operator.see(LIST)


async def test_viewer_sees_no_buttons_and_is_refused(site: Any, picture: Any) -> None:
    page = await site.viewer.see(f"{LIST}/{picture.id}")

    assert f"{LIST}/act" not in page
    assert 'name="one"' not in await site.viewer.see(LIST)
    await site.viewer.submit(f"{LIST}/act", 403, cancel=picture.id)
    await site.viewer.submit(f"{LIST}/gallery/delete", 403, media=picture.results[0])
    assert await site.services.storage.media.get(picture.results)


async def test_filter_is_in_the_address_in_words_and_can_be_cleared(site: Any, picture: Any) -> None:
    path = f"{LIST}?state=completed&kind=video&key=0&span=24h&model=none-called-so"

    page = await site.viewer.read(path)

    assert "Nothing matches" in page
    assert "Kind: Videos" in page
    assert "Key: operator" in page
    found = await site.viewer.see(
        f"{LIST}?state=completed&kind=image&model={picture.model}&account={picture.account_id}"
    )
    assert picture.id in found
    nobody = await site.viewer.read(f"{LIST}?state=completed&account=%3Cb%3Enobody")
    assert "Account: <b>nobody" in nobody
    assert "Nothing matches" in nobody


async def test_list_stands_still_while_somebody_reads_it(site: Any, picture: Any) -> None:
    followed = await site.viewer.see(f"{LIST}?kind=image")
    held = await site.viewer.see(f"{LIST}?kind=image&tail=off")

    assert "hx-sse:connect" in followed
    assert f'href="{LIST}?kind=image&amp;tail=off"' in followed
    assert "hx-sse:connect" not in held
    assert re.search(rf'href="{LIST}\?kind=image">\s*<svg.*?</svg>\s*Follow', held, re.DOTALL)


async def test_pages_go_on_by_keys_and_back(site: Any, account: int) -> None:
    model = "paged"
    old = site.services.clock.now() - timedelta(days=90)
    made = [
        replace(generation_of(f"gen_page_{n:03}"), model=model, state=State.CANCELLED, created_at=old)
        for n in range(60)
    ]
    await site.services.storage.generations.add(made)

    first = await site.viewer.see(f"{LIST}?state=cancelled&model={model}")
    following = re.search(r'href="([^"]+)"\s+rel="next"', first)
    assert following is not None
    second = await site.viewer.see(following[1].replace("&amp;", "&"))
    back = re.search(r'class="btn sm" href="([^"]+before=[^"]+)"', second)
    assert back is not None

    assert "gen_page_059" in first
    assert "gen_page_009" not in first
    assert "gen_page_009" in second
    assert 'rel="next"' not in second
    assert "gen_page_059" in await site.viewer.see(back[1].replace("&amp;", "&"))


async def test_detail_tells_attempts_reasons_times_and_no_secret(site: Any, account: int) -> None:
    failed = FailedAttempt(account, 20, 700, Phase.UPLOADING, "upstream_error", "<i>Bearer abcdefghijklmnop</i>")
    one = replace(
        generation_of("video_told"),
        state=State.FAILED,
        fault=Fault("upstream_timeout", "It took <b>too long</b>."),
        attempts=2,
        failed_attempts=(failed,),
        passages=(Passage(Phase.UPLOADING, 20), Passage(Phase.SUBMITTING, 900)),
        prompt=HOSTILE,
    )
    await site.services.storage.generations.add([replace(one, ended_at=one.created_at + timedelta(seconds=2))])

    page, read = await site.viewer.see(f"{LIST}/video_told"), await site.viewer.read(f"{LIST}/video_told")

    assert "Attempt 1 failed" in read
    assert "upstream_timeout" in read
    assert "It took <b>too long</b>." in read
    assert "<b>too long" not in page
    assert "abcdefghijklmnop" not in page
    assert "Lost in failed attempts" in read
    assert "curl http" in read
    assert "http-equiv" not in page
    assert "There is nothing here" in await site.viewer.read(f"{LIST}/video_none", 404)


async def test_running_one_refreshes_by_itself_without_script(site: Any, account: int) -> None:
    video = await make(site, "a boat that is watched", is_video=True)

    page = await site.operator.see(f"{LIST}/{video.id}")

    assert re.search(r'<noscript>\s*<meta http-equiv="refresh"', page)
    assert f"generation={video.id}" in page
    await site.operator.submit(f"{LIST}/act", cancel=video.id)


async def test_gallery_shows_small_previews_behind_the_session(site: Any, picture: Any) -> None:
    media_id = picture.results[0]
    page = await site.viewer.see(f"{LIST}/gallery")
    answer = await site.viewer.browser.get(f"/console/media/{media_id}/preview")

    assert f"/console/media/{media_id}/preview" in page
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"].startswith("private, max-age")
    assert len(answer.content) <= 8 * 1024
    assert max(Image.open(io.BytesIO(answer.content)).size) <= 320
    kept = {"if-none-match": answer.headers["etag"]}
    assert (await site.viewer.browser.get(f"/console/media/{media_id}/preview", headers=kept)).status_code == 304
    assert (await site.stranger.browser.get(f"/console/media/{media_id}/preview")).status_code == 303
    await site.viewer.see("/console/media/media_none/preview", 404)


async def test_result_alone_is_a_page_and_a_part_of_the_gallery(site: Any, picture: Any) -> None:
    path = f"{LIST}/gallery/{picture.results[0]}"

    page = await site.viewer.see(path)
    part = await site.viewer.see(
        path, **{"hx-request": "true", "hx-request-type": "partial", "hx-target": "div#viewer-body"}
    )

    assert "<html" in page
    assert part.lstrip().startswith('<div id="viewer-body">')
    link = re.search(r'href="(/media/[^"]+)"', part)
    assert link is not None
    whole = await site.stranger.browser.get(link[1].replace("&amp;", "&"))
    assert whole.headers["content-type"].startswith("image/")
    await site.viewer.see(f"{LIST}/gallery/media_none", 404)


async def test_selected_files_come_as_one(site: Any, picture: Any) -> None:
    fields = {"media": [picture.results[0], "media_none"], "next": f"{LIST}/gallery"}
    answer = await site.viewer.send(f"{LIST}/gallery/download", 200, fields)

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        (name,) = archive.namelist()
        assert name.startswith(picture.results[0])
        Image.open(io.BytesIO(archive.read(name))).verify()
    await site.viewer.submit(f"{LIST}/gallery/download", 303, next=f"{LIST}/gallery")


async def test_deleted_file_is_gone_and_its_generation_tells_so(site: Any, account: int) -> None:
    made = await done(site, "a mug that is deleted")

    await site.operator.submit(f"{LIST}/gallery/delete", media=made.results[0], next=f"{LIST}/gallery")

    assert "1 file deleted." in await site.operator.read(f"{LIST}/gallery")
    assert made.results[0] not in await site.operator.see(f"{LIST}/gallery")
    assert "1 file is not kept any more" in await site.operator.read(f"{LIST}/{made.id}")


async def test_gallery_goes_on_behind_sixty_results_and_back(site: Any, account: int) -> None:
    model, names = "many", [f"{n:03}" for n in range(65)]
    await site.services.storage.generations.add(
        [
            replace(generation_of(f"gen_many_{n}"), model=model, state=State.COMPLETED, results=(f"media_many_{n}",))
            for n in names
        ]
    )
    await site.services.storage.media.add(
        [replace(media_of(f"media_many_{n}"), generation_id=f"gen_many_{n}", expires_at=None) for n in names]
    )
    as_part = {"hx-request": "true", "hx-request-type": "partial", "hx-target": "li#more"}

    first = await site.viewer.see(f"{LIST}/gallery?model={model}")
    link = re.search(r'<li class="more" id="more">\s*<a class="btn"\s+href="([^"]+)"', first)
    assert link is not None
    path = link[1].replace("&amp;", "&")
    part, second = await site.viewer.see(path, **as_part), await site.viewer.see(path)
    back = re.search(r'href="([^"]+before=[^"]+)"', second)
    assert back is not None

    assert (first.count('class="tile"'), part.count('class="tile"'), second.count('class="tile"')) == (60, 5, 5)
    assert "media_many_064" in first
    assert "media_many_000" in part
    assert 'id="more"' not in part
    assert "<html" not in part
    assert (await site.viewer.see(back[1].replace("&amp;", "&"))).count('class="tile"') == 60
    beside = await site.viewer.see(f"{LIST}/gallery/media_many_005?model={model}")
    assert re.search(r'class="prev"\s+href="[^"]+media_many_006', beside)
    assert re.search(r'class="next"\s+href="[^"]+media_many_004', beside)
    assert "Nothing matches" in await site.viewer.read(f"{LIST}/gallery?model=none-such")


async def test_gallery_of_sixty_weighs_less_than_600_kilobytes(site: Any, account: int) -> None:
    page = await site.viewer.see(f"{LIST}/gallery?model=many")

    assert len(page.encode()) + 60 * MAX_BYTES < 600 * 1024


class TestSearch:
    """Words of prompts, in the list, in the gallery, and in the search over everything."""

    async def test_list_finds_what_runs_and_what_has_ended(self, site: Any, account: int) -> None:
        ended = await done(site, "a Windmill & <b>tulips</b>")
        running = await make(site, "tulips before a WINDMILL", is_video=True)

        page = await site.viewer.see(f"{LIST}?q=windmill+tulips")
        elsewhere = await site.viewer.see(f"{LIST}?q=windmill+roses")
        under_way = await site.viewer.see(f"{LIST}?q=windmill&state=running")
        completed = await site.viewer.see(f"{LIST}?q=windmill&state=completed")
        await site.operator.submit(f"{LIST}/act", cancel=running.id, next=LIST)

        shown = re.findall(r'id="row-(\w+)"', page)
        assert shown == [running.id, ended.id]
        assert "&lt;b&gt;tulips" in page
        assert "<b>tulips" not in page
        assert "Prompt: <b>windmill tulips</b>" in page
        assert "Nothing matches" in elsewhere
        assert ended.id not in under_way
        assert re.findall(r'id="row-(\w+)"', completed) == [ended.id]

    async def test_pages_of_what_was_found_follow_each_other(
        self, site: Any, account: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = [
            generation_of(f"video_found_{at}").changed(
                prompt=f"a zeppelin, number {at}" if at % 2 else "fog",
                state=State.COMPLETED,
                created_at=site.services.clock.now(),
            )
            for at in range(8)
        ]
        await site.services.storage.generations.add(made)
        monkeypatch.setattr(find_prompts, "LOOKED_AT", 4)

        first = await site.viewer.see(f"{LIST}?q=zeppelin")
        behind = html.unescape(re.findall(r'href="([^"]+)">Look further back', first)[0])
        second = await site.viewer.see(behind)
        back = html.unescape(re.findall(r'href="([^"]+before=[^"]+)"', second)[0])

        assert re.findall(r'id="row-(\w+)"', first) == ["video_found_7", "video_found_5"]
        assert "Looked back to" in first
        assert re.findall(r'id="row-(\w+)"', second) == ["video_found_3", "video_found_1"]
        assert re.findall(r'id="row-(\w+)"', await site.viewer.see(back)) == ["video_found_7", "video_found_5"]
        nothing = await site.viewer.see(f"{LIST}?q=no-such-thing-anywhere")
        assert "as far as was looked" in nothing
        assert "Look further back" in nothing

    async def test_gallery_shows_what_was_found_and_goes_from_one_to_the_next(self, site: Any, account: int) -> None:
        first, other, last = [await done(site, prompt) for prompt in ("an Otter asleep", "a heron", "an otter awake")]

        page = await site.viewer.see(f"{LIST}/gallery?q=OTTER")
        viewer = await site.viewer.see(f"{LIST}/gallery/{last.results[0]}?q=otter")

        ids = re.findall(r'name="media"\s+value="(\w+)"', page)
        assert ids == [last.results[0], first.results[0]]
        assert f"/gallery/{first.results[0]}?q=otter" in viewer
        assert other.results[0] not in viewer
        assert "Nothing matches" in await site.viewer.see(f"{LIST}/gallery?q=no-such-thing-anywhere")

    async def test_search_over_everything_finds_prompts(self, site: Any, account: int) -> None:
        made = await done(site, "a Cuckoo & <i>clock</i>")

        page = await site.viewer.see("/console/search?q=cuckoo+CLOCK")

        assert f'href="{LIST}/{made.id}"' in page
        assert "a Cuckoo &amp; &lt;i&gt;clock" in page
        assert f'href="{LIST}?q=cuckoo+CLOCK"' in page
