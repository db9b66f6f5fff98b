"""Videos through the official SDK."""

import asyncio
import io
import json
import time
import urllib.error
import urllib.request
import warnings
from typing import Any

import av
import openai
import pytest
from openai.types import Video

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import OPTIONS
from tests.e2e.processes import Gateway
from tests.e2e.test_pictures import png

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def finished(client: openai.OpenAI, video_id: str, within_s: float = 60.0) -> Any:
    deadline = time.monotonic() + within_s
    while True:
        video = client.videos.retrieve(video_id)
        if video.status in ("completed", "failed"):
            return video
        assert time.monotonic() < deadline, f"{video_id} did not end: {video}"
        time.sleep(0.1)


def seconds_of(data: bytes) -> float:
    with av.open(io.BytesIO(data), "r") as file:
        assert file.format.name.startswith("mov")
        frames = sum(1 for _ in file.decode(video=0))
        assert frames > 0
        assert file.duration is not None
        return float(file.duration / av.time_base)


def call(gateway: Gateway, path: str, method: str = "GET", **headers: str) -> Any:
    request = urllib.request.Request(
        gateway.url + path, method=method, headers={"authorization": f"Bearer {gateway.key}", **headers}
    )
    return urllib.request.urlopen(request)


def refused(gateway: Gateway, path: str, key: str = "", **headers: str) -> tuple[int, Any]:
    """Status and body of an answer that is an error."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        call(gateway, path, authorization=f"Bearer {key or gateway.key}", **headers)
    with raised.value as error:
        body = error.read()
    return error.code, json.loads(body) if body else None


@pytest.fixture(scope="module")
def video(gateway: Gateway) -> Any:
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)
    with client, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = client.videos.create(model="sora-2", prompt="waves", seconds="8", size="1280x720")
        return finished(client, made.id)


def test_video_goes_from_queued_to_a_file_that_plays(client: openai.OpenAI) -> None:
    made = client.videos.create(model="sora-2", prompt="a boat", seconds="8", size="720x1280")
    assert made.status in ("queued", "in_progress")
    done = finished(client, made.id)
    assert done.status == "completed", done.error
    assert done.progress == 100
    data = client.videos.download_content(made.id).read()
    assert seconds_of(data) == pytest.approx(8, abs=0.5)


async def test_progress_grows_while_it_is_made(client: openai.OpenAI, control: SimulatorControl) -> None:
    await control.configure(video_s=60)
    try:
        made = client.videos.create(model="sora-2", prompt="slowly", seconds="8")
        seen, deadline = [made.progress], time.monotonic() + 20
        while seen[-1] == seen[0]:
            assert time.monotonic() < deadline, seen
            time.sleep(0.1)
            seen.append(client.videos.retrieve(made.id).progress)
        await control.advance(60)
        video = finished(client, made.id)
    finally:
        await control.configure(video_s=OPTIONS["video_s"])
    assert video.status == "completed", video.error
    assert seen == sorted(seen)
    assert 0 < seen[-1] < 100


def test_poll_helper_of_the_sdk_ends(client: openai.OpenAI) -> None:
    video = client.videos.create_and_poll(model="sora-2", prompt="a boat", seconds="4", poll_interval_ms=100)
    assert video.status == "completed", video.error


def test_video_from_a_first_frame(client: openai.OpenAI) -> None:
    made = client.videos.create(model="sora-2", prompt="it moves", input_reference=("a.png", png()), size="1280x720")
    assert finished(client, made.id).status == "completed"


async def test_submits_once_for_each_video(client: openai.OpenAI, control: SimulatorControl) -> None:
    before = (await control.counters()).submits
    made = client.videos.create(model="sora-2", prompt="count me", seconds="8")
    assert finished(client, made.id).status == "completed"
    assert (await control.counters()).submits == before + 1


def test_ranges_are_served(gateway: Gateway, video: Any) -> None:
    with call(gateway, f"/v1/videos/{video.id}/content") as answer:
        whole = answer.read()
    with call(gateway, f"/v1/videos/{video.id}/content", range="bytes=10-19") as part:
        assert part.status == 206
        assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
        assert part.read() == whole[10:20]
    with call(gateway, f"/v1/videos/{video.id}/content", range="bytes=-5") as tail:
        assert tail.read() == whole[-5:]
    assert refused(gateway, f"/v1/videos/{video.id}/content", range=f"bytes={len(whole)}-")[0] == 416


def test_head_tells_length_and_type(gateway: Gateway, video: Any) -> None:
    with call(gateway, f"/v1/videos/{video.id}/content", "HEAD") as answer:
        assert answer.headers["content-type"] == "video/mp4"
        assert int(answer.headers["content-length"]) > 0
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.read() == b""


@pytest.mark.parametrize(("variant", "magic"), [("thumbnail", b"RIFF"), ("spritesheet", b"\xff\xd8\xff")])
def test_stills_are_pictures(gateway: Gateway, video: Any, variant: str, magic: bytes) -> None:
    with call(gateway, f"/v1/videos/{video.id}/content?variant={variant}") as answer:
        assert answer.read().startswith(magic)


def test_list_pages_by_cursor(client: openai.OpenAI, video: Any) -> None:
    made = [client.videos.create(model="sora-2", prompt=f"list {i}", seconds="8").id for i in range(3)]
    ids = [one.id for one in client.videos.list(limit=2)]
    assert ids[:3] == made[::-1]
    assert video.id in ids
    assert len(ids) == len(set(ids))
    for one in made:
        finished(client, one)


def test_deleted_video_is_gone(client: openai.OpenAI) -> None:
    made = client.videos.create(model="sora-2", prompt="delete me", seconds="8")
    finished(client, made.id)
    assert client.videos.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(made.id)


def test_remix_names_its_parent(client: openai.OpenAI, video: Any) -> None:
    remix = client.videos.remix(video.id, prompt="the same at night")
    assert remix.remixed_from_video_id == video.id
    finished(client, remix.id)


def test_late_refusal_is_a_failed_video(client: openai.OpenAI) -> None:
    made = client.videos.create(model="sora-2", prompt="latefail please", seconds="8")
    video = finished(client, made.id)
    assert video.status == "failed"
    assert video.error is not None
    assert video.error.code == "moderation_blocked"


async def test_content_before_the_end_is_404(
    gateway: Gateway, client: openai.OpenAI, control: SimulatorControl
) -> None:
    submits = (await control.counters()).submits
    await control.configure(video_s=60)
    try:
        made = client.videos.create(model="sora-2", prompt="too early", seconds="8")
        status, body = refused(gateway, f"/v1/videos/{made.id}/content")
        async with asyncio.timeout(60):
            while (await control.counters()).submits == submits:
                await asyncio.sleep(0.02)
        await control.advance(60)
        finished(client, made.id)
    finally:
        await control.configure(video_s=OPTIONS["video_s"])
    assert status == 404
    assert body["error"]["code"] == "not_ready"


def test_video_of_another_key_does_not_exist(gateway: Gateway, video: Any) -> None:
    other = gateway.make_key(f"other {time.time_ns()}")
    for path in ("", "/content"):
        assert refused(gateway, f"/v1/videos/{video.id}{path}", other)[0] == 404


def test_enlarged_video(client: openai.OpenAI, era: str) -> None:
    if era == "seed":
        pytest.skip("the seed era does not enlarge")
    made = client.videos.create(
        model="veo_3_1_t2v_fast", prompt="sharp", size="1280x720", extra_body={"resolution": "1080p"}
    )
    video = finished(client, made.id)
    assert video.status == "completed", video.error


def test_extension_is_as_long_as_its_object_says(client: openai.OpenAI, era: str) -> None:
    if era == "seed":
        pytest.skip("the seed era does not extend")
    parent = client.videos.create(model="sora-2", prompt="waves", seconds="4", size="1280x720")
    assert finished(client, parent.id).status == "completed"
    body = {"prompt": "and a gull", "seconds": "8", "video": {"id": parent.id}}
    longer = client.post("/videos/extensions", body=body, cast_to=Video)
    assert longer.seconds == "11"
    done = finished(client, longer.id)
    assert (done.status, done.seconds) == ("completed", "11"), done.error
    assert seconds_of(client.videos.download_content(longer.id).read()) == pytest.approx(11, abs=0.5)


async def test_extension_that_cannot_be_joined_says_its_own_length(
    client: openai.OpenAI, era: str, video: Any, control: SimulatorControl
) -> None:
    if era == "seed":
        pytest.skip("the seed era does not extend")
    await control.add_fault("error", call="concatenate", status=400)
    body = {"prompt": "and a gull", "seconds": "8", "video": {"id": video.id}}
    alone = client.post("/videos/extensions", body=body, cast_to=Video)
    assert alone.seconds == "15"
    assert finished(client, alone.id).seconds == "8"
    assert seconds_of(client.videos.download_content(alone.id).read()) == pytest.approx(8, abs=0.5)


async def test_video_that_was_made_before_is_enlarged_without_being_made_anew(
    client: openai.OpenAI, era: str, video: Any, control: SimulatorControl
) -> None:
    if era == "seed":
        pytest.skip("the seed era does not enlarge")
    body = {"prompt": "", "model": "flow-upscale-video", "resolution": "1080p", "video": {"id": video.id}}
    before = (await control.counters()).submits
    larger = client.post("/videos/edits", body=body, cast_to=Video)
    done = finished(client, larger.id)
    assert (done.status, done.remixed_from_video_id) == ("completed", video.id), done.error
    assert done.seconds == video.seconds
    assert (await control.counters()).submits == before + 1
    data = client.videos.download_content(larger.id).read()
    assert seconds_of(data) == pytest.approx(float(video.seconds), abs=0.5)


async def test_enlargement_that_fails_late_is_a_failed_video_and_the_plain_one_stays(
    client: openai.OpenAI, era: str, video: Any, control: SimulatorControl
) -> None:
    if era == "seed":
        pytest.skip("the seed era does not enlarge")
    await control.add_fault("fail_job", call="submit_video_upscale")
    body = {"prompt": "", "model": "flow-upscale-video", "video": {"id": video.id}}
    larger = client.post("/videos/edits", body=body, cast_to=Video)
    assert finished(client, larger.id).status == "failed"
    assert client.videos.retrieve(video.id).status == "completed"


async def test_enlargement_whose_answer_is_lost_is_not_asked_for_twice(
    client: openai.OpenAI, era: str, video: Any, control: SimulatorControl
) -> None:
    if era == "seed":
        pytest.skip("the seed era does not enlarge")
    before = (await control.counters()).submits
    await control.add_fault("drop", call="submit_video_upscale", work_done=True)
    body = {"prompt": "", "model": "flow-upscale-video", "video": {"id": video.id}}
    larger = client.post("/videos/edits", body=body, cast_to=Video)
    done = finished(client, larger.id)
    assert (done.status, done.error.code) == ("failed", "upstream_state_unknown")
    assert (await control.counters()).submits <= before + 1
