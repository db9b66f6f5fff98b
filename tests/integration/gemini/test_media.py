"""Pictures and videos of the Gemini API, end to end against the simulator."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from flow2api.domain.account import Credentials
from flow2api.domain.catalog import Mode, ModelSpec
from flow2api.domain.errors import (
    ContentBlockedError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
)
from flow2api.domain.generation import InputRole, Order, Product
from flow2api.domain.media import sniff_content_type
from flow2api.domain.secret import Secret
from tests.integration.flow.stage import all_of
from tests.integration.gemini.stage import (
    EDIT,
    EXTEND,
    FRAMES,
    IMAGEN,
    OMNI,
    PICTURE,
    REFERENCES,
    SPECS,
    VIDEO,
    GeminiStage,
)

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_key_is_its_own_access_token_and_is_checked_once_a_day(stage: GeminiStage) -> None:
    account = await stage.control.add_account()
    exchanged = await stage.gemini.exchange(Credentials(Secret(account.api_key)), None)

    credentials = exchanged.credentials
    assert credentials.session_token == credentials.access_token == Secret(account.api_key)
    assert credentials.expires_at is not None
    assert credentials.obtained_at is not None
    assert (credentials.expires_at - credentials.obtained_at).total_seconds() == 86_400
    assert (exchanged.email, exchanged.name) == (None, None)
    assert [one.call for one in await stage.control.requests()] == ["gemini_models"]


async def test_key_never_stands_in_an_address(stage: GeminiStage) -> None:
    account, access = await stage.sign_in()
    await stage.gemini.produce(access, Order(spec=PICTURE, prompt="a mug"))
    await all_of(stage.gemini.fetch(access, await stage.video(access, Order(spec=VIDEO, prompt="a cat"))))

    requests = await stage.control.requests(call="gemini_*")
    assert {one.account for one in requests} == {account.id}
    assert not [one for one in requests if "key" in one.query or account.api_key in one.path]


@pytest.mark.parametrize(("name", "size"), [("16x9", (1376, 768)), ("1x1-2k", (2048, 2048)), ("9x16-4k", (3072, 5504))])
async def test_picture_is_made_in_the_size_that_is_asked_for(
    stage: GeminiStage, name: str, size: tuple[int, int]
) -> None:
    await stage.control.configure(media="full", picture_format="jpeg")
    _, access = await stage.sign_in()
    spec = SPECS[f"google-gemini-3.1-flash-image-{name}"]

    (product,) = await stage.gemini.produce(access, Order(spec=spec, prompt="a mug"))

    assert product.data is not None
    assert Image.open(io.BytesIO(product.data)).size == size == (spec.size.width, spec.size.height)


@pytest.mark.parametrize(
    "spec", [one for one in SPECS.values() if one.wire["method"] == "generateContent"], ids=lambda spec: spec.name
)
async def test_every_picture_model_is_understood(stage: GeminiStage, spec: ModelSpec) -> None:
    _, access = await stage.sign_in()

    assert await stage.gemini.produce(access, Order(spec=spec, prompt="a mug"))


@pytest.mark.parametrize("spec", [one for one in SPECS.values() if one.seconds is not None], ids=lambda spec: spec.name)
async def test_every_video_model_is_understood(stage: GeminiStage, spec: ModelSpec) -> None:
    _, access = await stage.sign_in()
    role = InputRole.START if spec.mode == "frames" else InputRole.REFERENCE
    inputs = tuple([(role, await stage.upload(access))] * spec.min_images)

    maker = {Mode.EXTEND: VIDEO, Mode.EDIT: OMNI}.get(spec.mode)
    source = None if maker is None else await stage.video(access, Order(spec=maker, prompt="a cat"))

    operation, credits_left = await stage.gemini.submit(
        access, Order(spec=spec, prompt="a cat", inputs=inputs, source=source)
    )

    assert operation.name
    assert credits_left is None


async def test_several_pictures_are_calls_side_by_side_with_seeds_of_their_own(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()

    products = await stage.gemini.produce(access, Order(spec=PICTURE, prompt="a mug", count=4, seed=7))

    bodies = [one.body for one in await stage.control.requests(call="gemini_generate")]
    assert len({product.data for product in products}) == 4
    assert sorted(body["generationConfig"]["seed"] for body in bodies) == [7, 8, 9, 10]


async def test_pictures_that_came_about_count_when_others_did_not(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    await stage.control.add_fault("error", call="gemini_generate", status=500, nth=2)

    assert len(await stage.gemini.produce(access, Order(spec=PICTURE, prompt="a mug", count=3))) == 2


async def test_references_come_along_in_their_order(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    inputs = tuple([(InputRole.REFERENCE, await stage.upload(access)) for _ in range(2)])

    await stage.gemini.produce(access, Order(spec=PICTURE, prompt="like these", inputs=inputs))

    (content,) = (await stage.last_body("gemini_generate"))["contents"]
    assert [sorted(part) for part in content["parts"]] == [["text"], ["inlineData"], ["inlineData"]]


@pytest.mark.parametrize("spec", [VIDEO, OMNI], ids=["veo", "omni"])
async def test_video_is_made_and_fetched(stage: GeminiStage, spec: ModelSpec) -> None:
    _, access = await stage.sign_in()

    product = await stage.video(access, Order(spec=spec, prompt="a cat"))

    assert product.name.startswith("files/" if spec is VIDEO else "v1_")
    data = await all_of(stage.gemini.fetch(access, product))
    assert sniff_content_type(data[:12]) == "video/mp4"
    assert await all_of(stage.gemini.fetch(access, Product(product.name))) == data


@pytest.mark.parametrize(("spec", "role"), [(FRAMES, InputRole.START), (REFERENCES, InputRole.REFERENCE)])
async def test_video_is_made_of_pictures(stage: GeminiStage, spec: ModelSpec, role: InputRole) -> None:
    _, access = await stage.sign_in()
    inputs = [(role, await stage.upload(access))]
    inputs += [(InputRole.END, await stage.upload(access))] if role is InputRole.START else []

    product = await stage.video(access, Order(spec=spec, prompt="it moves", inputs=tuple(inputs)))

    assert product.url is not None


@pytest.mark.parametrize("pictures", [1, 3])
async def test_omni_takes_one_picture_or_several(stage: GeminiStage, pictures: int) -> None:
    _, access = await stage.sign_in()
    inputs = tuple([(InputRole.REFERENCE, await stage.upload(access)) for _ in range(pictures)])

    product = await stage.video(access, Order(spec=OMNI, prompt="it moves", inputs=inputs))

    assert sniff_content_type((product.data or b"")[:12]) == "video/mp4"


async def test_key_is_dropped_when_the_download_is_redirected_to_another_host(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    product = await stage.video(access, Order(spec=VIDEO, prompt="a cat"))
    there = stage.simulator.gemini_base_url.replace("127.0.0.1", "localhost") + "/v1/media/"
    await stage.control.add_fault(
        "redirect", call="gemini_download", location=there + product.name.removeprefix("files/")
    )

    assert await all_of(stage.gemini.fetch(access, product))
    (download,) = await stage.control.requests(call="gemini_download")
    (media,) = await stage.control.requests(call="gemini_media")
    assert download.authorization is not None
    assert media.authorization is None


async def test_redirect_to_a_foreign_host_is_refused(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    product = await stage.video(access, Order(spec=VIDEO, prompt="a cat"))
    await stage.control.add_fault("redirect", call="gemini_download", location="https://evil.invalid/video")

    with pytest.raises(UpstreamInvalidError):
        await all_of(stage.gemini.fetch(access, product))


async def test_file_is_gone_after_two_days(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    product = await stage.video(access, Order(spec=VIDEO, prompt="a cat"))
    await stage.control.advance(3 * 86_400)

    with pytest.raises(UpstreamNotFoundError):
        await all_of(stage.gemini.fetch(access, product))


async def test_imagen_makes_several_pictures_in_few_calls(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()

    products = await stage.gemini.produce(access, Order(spec=IMAGEN, prompt="a mug", count=6))

    assert len({product.data for product in products}) == 6
    assert len(await stage.control.requests(call="gemini_predict")) == 2


@pytest.mark.parametrize("word", ["unsafe", "filtered"])
async def test_imagen_s_filter_is_a_refusal(stage: GeminiStage, word: str) -> None:
    _, access = await stage.sign_in()

    with pytest.raises(ContentBlockedError):
        await stage.gemini.produce(access, Order(spec=IMAGEN, prompt=f"an {word} mug"))


async def test_other_version_of_the_api_is_spoken_where_it_is_set(stage: GeminiStage) -> None:
    stable = GeminiStage(stage.simulator, api_version="v1")
    _, access = await stable.sign_in()
    await stable.gemini.produce(access, replace(Order(spec=PICTURE), prompt="a mug"))

    assert (await stable.control.requests())[-1].path.startswith("/gemini/v1/models/")
    await stable.gemini.aclose()


async def test_video_goes_on_from_another_one(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    first = await stage.video(access, Order(spec=VIDEO, prompt="a cat"))

    second = await stage.video(
        access, Order(spec=EXTEND, prompt="it jumps", source=Product(first.name, extra=first.extra))
    )

    data = await all_of(stage.gemini.fetch(access, second))
    assert sniff_content_type(data[:12]) == "video/mp4"
    assert second.name != first.name
    (sent,) = (await stage.last_body("gemini_submit"))["instances"]
    assert sent == {"prompt": "it jumps", "video": {"uri": first.url}}


async def test_video_that_is_not_kept_any_more_cannot_be_gone_on_from(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    first = await stage.video(access, Order(spec=VIDEO, prompt="a cat"))
    await stage.control.advance(3 * 86_400)

    with pytest.raises(UpstreamNotFoundError):
        await stage.gemini.submit(access, Order(spec=EXTEND, prompt="it jumps", source=first))


async def test_interaction_without_a_video_has_nothing_to_fetch(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    operation, _ = await stage.gemini.submit(access, Order(spec=OMNI, prompt="an unsafe cat"))
    await stage.finished(access, operation)

    with pytest.raises(UpstreamNotFoundError):
        await all_of(stage.gemini.fetch(access, Product(operation.name)))


async def test_video_of_omni_is_changed_by_the_interaction_that_made_it(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()
    first = await stage.video(access, Order(spec=OMNI, prompt="a cat"))
    kept = Product(first.name, extra=first.extra)

    second = await stage.video(access, Order(spec=EDIT, prompt="make it blue", source=kept))

    assert sniff_content_type((second.data or b"")[:12]) == "video/mp4"
    assert second.data != first.data
    body = await stage.last_body("gemini_interact")
    assert (body["previous_interaction_id"], body["input"]) == (first.name, "make it blue")
    assert body["generation_config"] == {"video_config": {"task": "edit"}}
    third = await stage.video(access, Order(spec=EDIT, prompt="and green", source=second))
    assert third.name not in (first.name, second.name)


async def test_video_that_no_interaction_made_cannot_be_changed(stage: GeminiStage) -> None:
    _, access = await stage.sign_in()

    with pytest.raises(UpstreamRejectedError):
        await stage.gemini.submit(access, Order(spec=EDIT, prompt="x", source=Product("files/abc")))


@pytest.mark.parametrize(
    ("spec", "extra"), [(EDIT, '{"interaction": "v1_gone"}'), (EXTEND, '{"uri": "https://x.example/v1/files/gone"}')]
)
async def test_lost_video_to_build_on_is_no_lack_of_a_model(stage: GeminiStage, spec: ModelSpec, extra: str) -> None:
    _, access = await stage.sign_in()

    with pytest.raises(UpstreamNotFoundError):
        await stage.gemini.submit(access, Order(spec=spec, prompt="x", source=Product("gone", extra=extra)))
