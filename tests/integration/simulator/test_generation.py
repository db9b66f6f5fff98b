import asyncio
import base64
import io
from typing import Any

import av
import pytest
from PIL import Image

from flow2api.testing.simulator import SimulatorProcess
from tests.integration.simulator.flow_client import FlowClient

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def finished(flow: FlowClient, submitted: Any) -> Any:
    """The first entry of a poll once it has ended."""
    async with asyncio.timeout(30):
        while True:
            polled = await flow.poll(submitted)
            entry = (polled.get("operations") or polled["media"])[0]
            status = entry.get("status") or entry["mediaMetadata"]["mediaStatus"]["mediaGenerationStatus"]
            if status.endswith(("SUCCESSFUL", "FAILED")):
                return entry
            await asyncio.sleep(0.01)


async def link_of(flow: FlowClient, entry: Any) -> str:
    """Where a finished video can be had, in either era."""
    if "operation" in entry:
        return str(entry["operation"]["metadata"]["video"]["fifeUrl"])
    answer = await flow.labs("GET", f"/trpc/media.getMediaUrlRedirect?name={entry['name']}")
    assert answer.status_code == 307
    return str(answer.headers["location"])


def watch(content: bytes) -> tuple[int, int, int, list[str]]:
    """Width, height, decoded frames and codecs of a film."""
    with av.open(io.BytesIO(content), "r") as container:
        video = container.streams.video[0]
        codecs = [stream.codec_context.name for stream in container.streams]
        return video.width, video.height, len(list(container.decode(video))), codecs


async def test_a_picture_from_prompt_to_pixels(flow: FlowClient) -> None:
    media = (await flow.picture("a red mug")).json()["media"][0]
    got = await flow.get(media["image"]["generatedImage"]["fifeUrl"])
    picture = Image.open(io.BytesIO(got.content))
    picture.load()
    assert (picture.format, picture.size) == ("JPEG", (1376, 768))
    assert got.headers["content-type"] == "image/jpeg"


async def test_a_video_from_prompt_to_frames(flow: FlowClient) -> None:
    submitted = (await flow.video("a cat")).json()
    assert submitted["remainingCredits"] == 980
    got = await flow.get(await link_of(flow, await finished(flow, submitted)))
    assert got.headers["content-type"] == "video/mp4"
    assert watch(got.content) == (128, 72, 192, ["h264", "aac"])


async def test_a_video_from_an_uploaded_frame(flow: FlowClient) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 360), (250, 0, 0)).save(buffer, "JPEG")
    upload = {"imageInput": {"rawImageBytes": base64.b64encode(buffer.getvalue()).decode(), "mimeType": "image/jpeg"}}
    name = (await flow.api("POST", ":uploadUserImage", upload)).json()["mediaGenerationId"]["mediaGenerationId"]
    frames = {"startImage": {"mediaId": name}}
    submitted = (await flow.video("it moves", "veo_3_1_i2v_s_fast_fl", "StartAndEndImage", **frames)).json()
    content = (await flow.get(await link_of(flow, await finished(flow, submitted)))).content
    with av.open(io.BytesIO(content), "r") as container:
        first = next(container.decode(video=0)).to_image()  # type: ignore[no-untyped-call]
    red, green, _ = first.getpixel((60, 20))
    assert red > 200 > 60 > green


async def test_a_late_failure_gives_its_credits_back(flow: FlowClient) -> None:
    await finished(flow, (await flow.video("a latefail thing")).json())
    assert (await flow.api("GET", "/credits")).json()["credits"] == 1000


async def test_a_job_takes_its_time_on_the_simulators_clock(simulator: SimulatorProcess, flow: FlowClient) -> None:
    await simulator.control.configure(video_s=3600)
    await simulator.control.set_speed(0)
    submitted = (await flow.video("a cat")).json()
    assert [job.state for job in await simulator.control.jobs()] == ["PENDING"]
    await simulator.control.advance(3599)
    assert [job.state for job in await simulator.control.jobs()] == ["ACTIVE"]
    await simulator.control.advance(1)
    await finished(flow, submitted)
    assert [job.state for job in await simulator.control.jobs()] == ["SUCCESSFUL"]


async def test_a_picture_waits_for_the_simulators_clock(simulator: SimulatorProcess, flow: FlowClient) -> None:
    await simulator.control.configure(picture_s=3600)
    async with asyncio.timeout(30):
        waiting = asyncio.create_task(flow.picture("a red mug"))
        while (await simulator.control.account("acc-1")).running_jobs == 0:
            await asyncio.sleep(0.01)
        await simulator.control.advance(3600)
        assert (await waiting).status_code == 200


@pytest.mark.parametrize("running", ["2026-06"], indirect=True)
async def test_upscale_extension_and_joined_film(simulator: SimulatorProcess, flow: FlowClient) -> None:
    await simulator.control.patch_account("acc-1", tier="PAYGATE_TIER_TWO")
    first = (await finished(flow, (await flow.video("a cat")).json()))["name"]
    upscale = {"videoInput": {"mediaId": first}, "resolution": "VIDEO_RESOLUTION_1080P", "textInput": None}
    large = await finished(flow, (await flow.video("", "veo_3_1_upsampler_1080p", "UpsampleVideo", **upscale)).json())
    assert watch((await flow.get(await link_of(flow, large))).content)[:2] == (192, 108)
    extension = {"videoInput": {"mediaId": first}, "metadata": {"workflowId": "w"}}
    second = (
        await finished(
            flow, (await flow.video("it runs", "veo_3_1_extend_landscape", "ExtendVideo", **extension)).json()
        )
    )["name"]
    inputs = [
        {"mediaGenerationId": first},
        {"mediaGenerationId": second, "startTimeOffset": "1s", "endTimeOffset": "8s"},
    ]
    operation = (await flow.api("POST", ":runVideoFxConcatenation", {"inputVideos": inputs})).json()["operation"]
    await simulator.control.advance(10)
    done = (await flow.api("POST", ":runVideoFxCheckConcatenationStatus", {"operation": operation})).json()
    assert watch((await flow.get(done["outputUri"])).content)[2] == 15 * 24
