import base64
import io
from typing import Any

import pytest
from PIL import Image

from flow2api.simulator.media import PICTURE_SIZES
from tests.unit.simulator.player import RATIO, Player


def png(width: int = 8, height: int = 6) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


async def uploaded(player: Player, **context: Any) -> str:
    answer = await player.api("POST", "/flow/uploadImage", {"imageBytes": png(), "clientContext": context})
    assert answer.status == 200
    return str(answer.json()["media"]["name"])


def reference(name: str) -> list[dict[str, str]]:
    return [{"name": name, "imageInputType": "IMAGE_INPUT_TYPE_REFERENCE"}]


async def test_answers_in_the_shape_of_2026_06(player: Player) -> None:
    answer = (await player.picture()).json()
    media, workflow = answer["media"][0], answer["workflows"][0]
    generated = media["image"]["generatedImage"]
    assert media["name"] == generated["mediaId"] == workflow["metadata"]["primaryMediaId"]
    assert media["workflowId"] == workflow["name"]
    assert workflow["projectId"] == player.project
    assert media["image"]["dimensions"] == {"width": 1376, "height": 768}
    assert (generated["seed"], generated["modelNameType"], generated["aspectRatio"]) == (7, "GEM_PIX_2", RATIO)


async def test_answers_in_the_shape_of_the_seed_era(seed_player: Player) -> None:
    answer = (await seed_player.picture()).json()
    assert list(answer) == ["media"]
    assert answer["media"][0]["name"].startswith("CAMS")
    assert list(answer["media"][0]["image"]) == ["generatedImage"]


async def test_takes_the_nested_form_of_the_later_eras(player: Player) -> None:
    context = {"recaptchaContext": {"token": "", "applicationType": "RECAPTCHA_APPLICATION_TYPE_WEB"}}
    context |= {"sessionId": ";1", "projectId": player.project, "tool": "PINHOLE"}  # type: ignore[dict-item]
    request = {"clientContext": context, "seed": 1, "imageModelName": "NARWHAL", "imageAspectRatio": RATIO}
    request["structuredPrompt"] = {"parts": [{"text": "a red mug"}]}
    body = {
        "clientContext": context,
        "mediaGenerationContext": {"batchId": "b"},
        "useNewMedia": True,
        "requests": [request],
    }
    answer = await player.api("POST", f"/projects/{player.project}/flowMedia:batchGenerateImages", body)
    assert answer.json()["media"][0]["image"]["generatedImage"]["prompt"] == "a red mug"
    assert answer.json()["workflows"][0]["metadata"]["batchId"] == "b"


async def test_makes_one_picture_per_request(player: Player) -> None:
    request = {"imageModelName": "GEM_PIX_2", "imageAspectRatio": RATIO, "prompt": "a mug"}
    body = {"requests": [request | {"seed": seed} for seed in (1, 2, 3)]}
    media = (await player.api("POST", f"/projects/{player.project}/flowMedia:batchGenerateImages", body)).json()[
        "media"
    ]
    assert [entry["image"]["generatedImage"]["seed"] for entry in media] == [1, 2, 3]
    assert len({entry["name"] for entry in media}) == 3


@pytest.mark.parametrize("ratio", PICTURE_SIZES)
async def test_links_lead_to_a_picture_of_the_ratios_size(ratio: str) -> None:
    player = await Player(media="full").sign_in()
    answer = await player.picture(imageAspectRatio=f"IMAGE_ASPECT_RATIO_{ratio}")
    link = answer.json()["media"][0]["image"]["generatedImage"]["fifeUrl"]
    got = await player.send("GET", link.removeprefix("http://127.0.0.1"))
    assert got.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(got.body)).size == PICTURE_SIZES[ratio]


async def test_pictures_can_be_png() -> None:
    player = await Player(media="full", picture_format="png").sign_in()
    link = (await player.picture()).json()["media"][0]["image"]["generatedImage"]["fifeUrl"]
    got = await player.send("GET", link.removeprefix("http://127.0.0.1"))
    assert got.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(got.body)).format == "PNG"


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"surprise": 1}, 400, "Unknown name \"surprise\" at 'requests[0]'"),
        ({"imageAspectRatio": "IMAGE_ASPECT_RATIO_ROUND"}, 400, "Invalid value"),
        ({"model": "GEM_PIX_9"}, 400, "unknown"),
        ({"model": "veo_3_1_t2v_fast"}, 400, "does not serve"),
        ({"model": "IMAGEN_3_5", "imageAspectRatio": "IMAGE_ASPECT_RATIO_SQUARE"}, 400, "aspect ratio"),
        ({"prompt": " "}, 400, "empty"),
        ({"imageInputs": [{"name": str(n)} for n in range(11)]}, 400, "at most 10"),
        ({"imageInputs": [{"name": "foreign"}]}, 404, "not found"),
        ({"clientContext": {"projectId": "other"}}, 400, "projectId"),
    ],
)
async def test_refuses_requests_that_do_not_fit(
    player: Player, fields: dict[str, Any], status: int, words: str
) -> None:
    answer = await player.picture(**fields)
    assert answer.status == status
    assert words in answer.json()["error"]["message"]
    assert player.account.counters.peak_jobs == 0


async def test_a_pro_picture_of_the_seed_era_needs_tier_one(seed_player: Player) -> None:
    seed_player.account.knobs.tier = "PAYGATE_TIER_NOT_PAID"
    answer = await seed_player.picture()
    assert (answer.status, answer.reason) == (403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED")


async def test_refuses_foreign_projects(player: Player) -> None:
    mine = player.project
    await player.sign_in(player.add())
    player.project = mine
    assert (await player.picture()).status == 404


async def test_refuses_without_a_bearer(player: Player) -> None:
    answer = await player.send("POST", f"/v1/projects/{player.project}/flowMedia:batchGenerateImages", {"requests": []})
    assert (answer.status, answer.reason) == (401, "CREDENTIALS_MISSING")


async def test_unsafe_prompts_are_refused_and_filtered_ones_come_empty(player: Player) -> None:
    refused = await player.picture("an UNSAFE thing")
    assert (refused.status, refused.reason) == (400, "PUBLIC_ERROR_UNSAFE_GENERATION")
    assert (await player.picture("a filtered thing")).json() == {"media": []}
    assert (await player.picture("unsafely named")).status == 200


async def test_words_of_the_filters_can_be_changed(player: Player) -> None:
    player.world.options.unsafe_word = "dragon"
    assert (await player.picture("a dragon")).status == 400
    assert (await player.picture("unsafe")).status == 200


@pytest.mark.parametrize("reason", ["PUBLIC_ERROR_USER_REGION_DISALLOWED", "PUBLIC_ERROR_UNUSUAL_ACTIVITY"])
async def test_accounts_can_be_refused_as_a_whole(player: Player, reason: str) -> None:
    player.account.knobs.refused_reason = reason
    answer = await player.picture()
    assert (answer.status, answer.reason) == (403, reason)


async def test_the_anti_abuse_refusal_hits_everybody(player: Player) -> None:
    player.world.options.refuse_anti_abuse = True
    answer = await player.picture()
    assert (answer.status, answer.reason) == (403, "PUBLIC_ERROR_UNUSUAL_ACTIVITY")


async def test_places_of_finished_pictures_are_free_again(player: Player) -> None:
    player.account.knobs.max_parallel_jobs = 1
    assert [(await player.picture()).status for _ in range(3)] == [200, 200, 200]
    assert player.account.counters.peak_jobs == 1


async def test_uploads_tell_an_id_of_their_own_project(player: Player) -> None:
    name = await uploaded(player, projectId=player.project)
    assert (await player.picture(imageInputs=reference(name))).status == 200


async def test_uploads_of_another_project_can_not_be_used_from_2026_on(player: Player) -> None:
    name = await uploaded(player, projectId=player.project)
    await player.sign_in()
    assert (await player.picture(imageInputs=reference(name))).status == 404


async def test_legacy_uploads_belong_to_no_project(seed_player: Player) -> None:
    body = {
        "imageInput": {"rawImageBytes": png(9, 7), "mimeType": "image/jpeg"},
        "clientContext": {"tool": "ASSET_MANAGER"},
    }
    answer = (await seed_player.api("POST", ":uploadUserImage", body)).json()
    assert (answer["width"], answer["height"]) == (9, 7)
    name = answer["mediaGenerationId"]["mediaGenerationId"]
    assert name.startswith("CAMa")
    assert (await seed_player.picture(imageInputs=reference(name))).status == 200


async def test_uploads_expire_after_an_hour(player: Player) -> None:
    name = await uploaded(player)
    player.world.clock.advance(3601)
    assert (await player.picture(imageInputs=reference(name))).status == 404


async def test_uploads_of_others_are_not_found(player: Player) -> None:
    name = await uploaded(player)
    await player.sign_in(player.add())
    assert (await player.picture(imageInputs=reference(name))).status == 404


@pytest.mark.parametrize(
    ("options", "content", "reason"),
    [
        ({}, base64.b64encode(b"no picture").decode(), "PUBLIC_ERROR_UNKNOWN_IMAGE_FILE_FORMAT"),
        ({"max_upload_bytes": 20}, png(), "PUBLIC_ERROR_IMAGE_TOO_LARGE"),
        ({"min_upload_px": 7}, png(8, 6), "PUBLIC_ERROR_IMAGE_TOO_SMALL"),
    ],
)
async def test_refuses_uploads_that_are_no_use(options: dict[str, Any], content: str, reason: str) -> None:
    player = await Player(**options).sign_in()
    answer = await player.api("POST", "/flow/uploadImage", {"imageBytes": content})
    assert (answer.status, answer.reason) == (400, reason)


async def test_refuses_uploads_that_are_no_base64(player: Player) -> None:
    answer = await player.api("POST", "/flow/uploadImage", {"imageBytes": "%%%"})
    assert "Base64" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("size", "width"), [("2K", 2752), ("4K", 5504)])
async def test_upscales_are_larger_pictures(size: str, width: int) -> None:
    player = await Player(media="full").sign_in()
    player.account.knobs.tier = "PAYGATE_TIER_TWO"
    name = (await player.picture()).json()["media"][0]["name"]
    body = {
        "mediaId": name,
        "targetResolution": f"UPSAMPLE_IMAGE_RESOLUTION_{size}",
        "clientContext": {"sessionId": ";1"},
    }
    answer = await player.api("POST", "/flow/upsampleImage", body)
    picture = Image.open(io.BytesIO(base64.b64decode(answer.json()["encodedImage"])))
    assert picture.width == width


async def test_a_4k_upscale_needs_tier_two(player: Player) -> None:
    name = (await player.picture()).json()["media"][0]["name"]
    body = {"mediaId": name, "targetResolution": "UPSAMPLE_IMAGE_RESOLUTION_4K"}
    answer = await player.api("POST", "/flow/upsampleImage", body)
    assert (answer.status, answer.reason) == (403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED")


async def test_only_generated_pictures_are_upscaled(player: Player) -> None:
    body = {"mediaId": await uploaded(player), "targetResolution": "UPSAMPLE_IMAGE_RESOLUTION_2K"}
    assert (await player.api("POST", "/flow/upsampleImage", body)).status == 400
