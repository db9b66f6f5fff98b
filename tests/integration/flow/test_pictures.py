"""Pictures against the simulator: what goes out, and what comes of it."""

import io

import pytest
from PIL import Image

from flow2api.domain.errors import ModelAccessError, UpstreamInvalidError, UpstreamRejectedError
from flow2api.domain.generation import InputRole, Order, Stage
from flow2api.domain.ports.upstream import UploadedPicture
from tests.integration.flow.stage import PICTURE, SPECS, FlowStage, all_of, jpeg

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_seeds_follow_each_other(stage: FlowStage) -> None:
    _, access = await stage.sign_in()

    await stage.flow.produce(access, Order(spec=PICTURE, prompt="a red mug", count=3, seed=40))

    body = await stage.last_body("generate_images")
    assert [request["seed"] for request in body["requests"]] == [40, 41, 42]


async def test_bodies_have_the_shape_of_their_era(stage: FlowStage) -> None:
    _, access = await stage.sign_in()

    await stage.flow.produce(access, Order(spec=PICTURE, prompt="a red mug"))

    body = await stage.last_body("generate_images")
    if stage.era == "seed":
        assert set(body) == {"requests"}
        assert body["requests"][0]["prompt"] == "a red mug"
    else:
        assert body["useNewMedia"] is True
        assert body["clientContext"]["recaptchaContext"]["token"] == ""
        assert body["requests"][0]["structuredPrompt"] == {"parts": [{"text": "a red mug"}]}


async def test_base_picture_is_marked_as_such(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    first = await stage.flow.upload(access, UploadedPicture(jpeg(), "image/jpeg", 32, 18))
    second = await stage.flow.upload(access, UploadedPicture(jpeg(18, 32), "image/jpeg", 18, 32))
    inputs = ((InputRole.BASE, first), (InputRole.REFERENCE, second))

    await stage.flow.produce(access, Order(spec=PICTURE, prompt="bluer", inputs=inputs))

    assert (await stage.last_body("generate_images"))["requests"][0]["imageInputs"] == [
        {"name": first, "imageInputType": "IMAGE_INPUT_TYPE_BASE_IMAGE"},
        {"name": second, "imageInputType": "IMAGE_INPUT_TYPE_REFERENCE"},
    ]


async def test_uploaded_bytes_arrive_whole(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    data = jpeg(640, 480)

    handle = await stage.flow.upload(access, UploadedPicture(data, "image/jpeg", 640, 480))

    assert handle.startswith("CAMa") == (stage.era == "seed")


async def test_upload_that_is_no_picture_is_rejected(stage: FlowStage) -> None:
    _, access = await stage.sign_in()

    with pytest.raises(UpstreamRejectedError) as refusal:
        await stage.flow.upload(access, UploadedPicture(b"no picture", "image/jpeg", 1, 1))

    assert refusal.value.reason == "PUBLIC_ERROR_UNKNOWN_IMAGE_FILE_FORMAT"


@pytest.mark.parametrize(("suffix", "tier"), [("2k", "PAYGATE_TIER_ONE"), ("4k", "PAYGATE_TIER_TWO")])
async def test_enlarging_keeps_the_name_and_the_session(later: FlowStage, suffix: str, tier: str) -> None:
    spec = SPECS[f"gemini-3.0-pro-image-landscape-{suffix}"]
    _, access = await later.sign_in(tier=tier)
    made = (await later.flow.produce(access, Order(spec=spec, prompt="a red mug")))[0]

    large = (await later.flow.produce(access, Order(spec=spec, stage=Stage.ENLARGE, source=made)))[0]

    made_in = (await later.last_body("generate_images"))["clientContext"]["sessionId"]
    body = await later.last_body("upscale_image")
    assert large.name == made.name
    assert large.data is not None
    assert Image.open(io.BytesIO(large.data)).format == "JPEG"
    assert body["clientContext"]["sessionId"] == made_in
    assert body["targetResolution"].endswith(suffix.upper())
    assert await all_of(later.flow.fetch(access, large)) == large.data


async def test_enlarging_beyond_the_plan_is_told_apart(later: FlowStage) -> None:
    spec = SPECS["gemini-3.0-pro-image-landscape-4k"]
    _, access = await later.sign_in(tier="PAYGATE_TIER_ONE")
    made = (await later.flow.produce(access, Order(spec=PICTURE, prompt="a red mug")))[0]

    with pytest.raises(ModelAccessError):
        await later.flow.produce(access, Order(spec=spec, stage=Stage.ENLARGE, source=made))


async def test_enlarging_to_nothing_is_no_success(later: FlowStage) -> None:
    spec = SPECS["gemini-3.0-pro-image-landscape-2k"]
    _, access = await later.sign_in()
    made = (await later.flow.produce(access, Order(spec=spec, prompt="a red mug")))[0]
    await later.control.add_fault("empty_media", call="upscale_image")

    with pytest.raises(UpstreamInvalidError):
        await later.flow.produce(access, Order(spec=spec, stage=Stage.ENLARGE, source=made))
