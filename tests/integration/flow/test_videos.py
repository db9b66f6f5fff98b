"""Videos against the simulator: every mode in every era that has it."""

import io

import av
import pytest

from flow2api.adapters.flow.lineage import Lineage
from flow2api.domain.errors import (
    ContentBlockedError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import InputRole, Order, Stage
from flow2api.domain.ports.upstream import Access, UploadedPicture
from tests.integration.flow.stage import FRAMES, REFERENCES, SPECS, VIDEO, FlowStage, all_of, jpeg

pytestmark = pytest.mark.asyncio(loop_scope="package")

TIER_TWO = "PAYGATE_TIER_TWO"
LARGE = SPECS["veo_3_1_t2v_1080p"] if "veo_3_1_t2v_1080p" in SPECS else SPECS["veo_3_1_t2v_landscape_1080p"]
SHORT = SPECS["veo_3_1_t2v_fast_landscape_4s"]
EXTEND = SPECS["veo_3_1_extend_landscape"] if "veo_3_1_extend_landscape" in SPECS else SPECS["veo_3_1_extend"]


async def upload(stage: FlowStage, access: Access) -> str:
    return await stage.flow.upload(access, UploadedPicture(jpeg(), "image/jpeg", 32, 18))


async def test_one_frame_goes_the_way_of_its_era(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    inputs = ((InputRole.START, await upload(stage, access)),)

    product = await stage.video(access, Order(spec=FRAMES, prompt="it moves", inputs=inputs))

    call = "submit_start_end_video" if stage.era == "seed" else "submit_start_video"
    request = (await stage.last_body(call))["requests"][0]
    assert request["startImage"] == {"mediaId": inputs[0][1]}
    assert "endImage" not in request
    assert ("_fl" in request["videoModelKey"]) == (stage.era == "seed")
    assert await all_of(stage.flow.fetch(access, product))


async def test_two_frames_go_together(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    first, last = await upload(stage, access), await upload(stage, access)
    inputs = ((InputRole.START, first), (InputRole.END, last))

    await stage.video(access, Order(spec=FRAMES, prompt="it moves", inputs=inputs))

    request = (await stage.last_body("submit_start_end_video"))["requests"][0]
    assert (request["startImage"], request["endImage"]) == ({"mediaId": first}, {"mediaId": last})


async def test_reference_pictures_go_along(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    names = [await upload(stage, access) for _ in range(3)]
    inputs = tuple((InputRole.REFERENCE, name) for name in names)

    await stage.video(access, Order(spec=REFERENCES, prompt="together", inputs=inputs))

    request = (await stage.last_body("submit_reference_video"))["requests"][0]
    assert [entry["mediaId"] for entry in request["referenceImages"]] == names


async def test_omni_with_pictures_takes_its_other_key(later: FlowStage) -> None:
    _, access = await later.sign_in()
    order = Order(spec=SPECS["omni"], prompt="together")

    await later.video(access, order)
    await later.video(
        access, Order(spec=SPECS["omni"], prompt="x", inputs=((InputRole.REFERENCE, await upload(later, access)),))
    )

    assert (await later.last_body("submit_text_video"))["requests"][0]["videoModelKey"] == "abra_t2v_8s"
    assert (await later.last_body("submit_reference_video"))["requests"][0]["videoModelKey"] == "abra_r2v_8s"


async def test_key_follows_the_plan(later: FlowStage) -> None:
    _, access = await later.sign_in(tier=TIER_TWO)
    inputs = ((InputRole.START, await upload(later, access)),)

    await later.video(access, Order(spec=VIDEO, prompt="a cat"))
    await later.video(access, Order(spec=FRAMES, prompt="it moves", inputs=inputs))

    assert (await later.last_body("submit_text_video"))["requests"][0]["videoModelKey"] == "veo_3_1_t2v_fast_ultra"
    assert (await later.last_body("submit_start_video"))["requests"][0]["videoModelKey"] == "veo_3_1_i2v_s_fast_ultra"
    assert (await later.last_body("submit_text_video"))["clientContext"]["userPaygateTier"] == TIER_TWO


async def test_enlarged_video_is_larger(later: FlowStage) -> None:
    await later.control.configure(media="full")
    _, access = await later.sign_in(tier=TIER_TWO)
    made = await later.video(access, Order(spec=LARGE, prompt="a cat"))

    large = await later.video(access, Order(spec=LARGE, stage=Stage.ENLARGE, source=made))

    assert large.name == f"{made.name}_upsampled"
    before, after = [await all_of(later.flow.fetch(access, each)) for each in (made, large)]
    assert frame_width(after) > frame_width(before)


async def test_extension_is_joined_to_what_it_extends(later: FlowStage) -> None:
    await later.control.configure(media="full")
    _, access = await later.sign_in(tier=TIER_TWO)
    made = await later.video(access, Order(spec=VIDEO, prompt="a cat"))

    longer = await later.video(access, Order(spec=EXTEND, prompt="and then", source=made))

    request = (await later.last_body("submit_video_extend"))["requests"][0]
    assert request["metadata"]["workflowId"] == Lineage.of(made).workflow
    assert [clip.name for clip in Lineage.of(longer).clips] == [made.name, longer.name]
    assert seconds_of(await all_of(later.flow.fetch(access, longer))) == pytest.approx(15, abs=0.5)


async def test_extension_of_a_short_video_takes_all_of_it_and_no_more(later: FlowStage) -> None:
    await later.control.configure(media="full")
    _, access = await later.sign_in(tier=TIER_TWO)
    made = await later.video(access, Order(spec=SHORT, prompt="a cat"))

    longer = await later.video(access, Order(spec=EXTEND, prompt="and then", source=made))

    assert longer.seconds == 4 + 7
    assert seconds_of(await all_of(later.flow.fetch(access, longer))) == pytest.approx(11, abs=0.5)


async def test_extension_of_an_extension_holds_all_three(later: FlowStage) -> None:
    await later.control.configure(media="full")
    _, access = await later.sign_in(tier=TIER_TWO)
    first = await later.video(access, Order(spec=VIDEO, prompt="a cat"))
    second = await later.video(access, Order(spec=EXTEND, prompt="and then", source=first))

    third = await later.video(access, Order(spec=EXTEND, prompt="at last", source=second))

    assert [clip.name for clip in Lineage.of(third).clips] == [first.name, second.name, third.name]
    assert seconds_of(await all_of(later.flow.fetch(access, third))) == pytest.approx(22, abs=0.5)


async def test_joined_video_may_come_inside_the_answer(later: FlowStage) -> None:
    await later.control.configure(concatenation_answer="encoded", media="full")
    _, access = await later.sign_in(tier=TIER_TWO)
    made = await later.video(access, Order(spec=VIDEO, prompt="a cat"))

    longer = await later.video(access, Order(spec=EXTEND, prompt="and then", source=made))

    assert longer.data is not None
    assert seconds_of(longer.data) == pytest.approx(15, abs=0.5)


async def test_extension_comes_alone_when_joining_fails(later: FlowStage) -> None:
    await later.control.configure(media="full")
    _, access = await later.sign_in(tier=TIER_TWO)
    made = await later.video(access, Order(spec=VIDEO, prompt="a cat"))
    await later.control.add_fault("error", call="concatenate", status=400)

    alone = await later.video(access, Order(spec=EXTEND, prompt="and then", source=made))

    assert [clip.name for clip in Lineage.of(alone).clips] == [alone.name]
    assert alone.seconds == 8
    assert seconds_of(await all_of(later.flow.fetch(access, alone))) == pytest.approx(8, abs=0.5)


async def test_extension_without_a_source_is_not_sent(later: FlowStage) -> None:
    _, access = await later.sign_in(tier=TIER_TWO)

    with pytest.raises(UpstreamNotFoundError):
        await later.flow.submit(access, Order(spec=EXTEND, prompt="and then"))

    assert (await later.control.counters()).submits == 0


async def test_submit_is_sent_once_when_its_answer_is_lost(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    await stage.flow.allowance(access)  # so that there are kept connections
    await stage.control.add_fault("drop", call="submit_text_video", work_done=True)

    with pytest.raises(UpstreamUnavailableError) as broken:
        await stage.flow.submit(access, Order(spec=VIDEO, prompt="a cat"))

    assert broken.value.reached
    assert (await stage.control.counters()).submits == 1


async def test_answer_to_a_submit_that_says_nothing_is_not_taken_for_a_refusal(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    await stage.control.add_fault("malformed", call="submit_text_video", work_done=True)

    with pytest.raises(UpstreamInvalidError):
        await stage.flow.submit(access, Order(spec=VIDEO, prompt="a cat"))


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT", UpstreamRejectedError),
        ("PUBLIC_ERROR_IP_INPUT_IMAGE", ContentBlockedError),
    ],
)
async def test_job_that_fails_late_tells_its_reason(stage: FlowStage, reason: str, error: type[Exception]) -> None:
    _, access = await stage.sign_in()
    await stage.control.add_fault("fail_job", call="submit_text_video", reason=reason)
    operation, _ = await stage.flow.submit(access, Order(spec=VIDEO, prompt="a cat"))

    status = await stage.finished(access, operation)

    assert isinstance(status.error, error)
    assert getattr(status.error, "reason", None) == reason


def frame_width(data: bytes) -> int:
    with av.open(io.BytesIO(data), "r") as container:
        return container.streams.video[0].width


def seconds_of(data: bytes) -> float:
    with av.open(io.BytesIO(data), "r") as container:
        return (container.duration or 0) / av.time_base
