import base64
from typing import Any

import pytest

from flow2api.simulator.control_schema import Tier
from tests.unit.simulator.player import Player
from tests.unit.simulator.test_calls_pictures import png

START_END = "GenerateVideoStartAndEndImage"
START = "GenerateVideoStartImage"
REFERENCES = "GenerateVideoReferenceImages"
UPSCALE = "GenerateVideoUpsampleVideo"
EXTEND = "GenerateVideoExtendVideo"


async def uploaded(player: Player) -> str:
    body = {"imageBytes": png(), "clientContext": {"projectId": player.project}}
    return str((await player.api("POST", "/flow/uploadImage", body)).json()["media"]["name"])


def status_of(answer: Any) -> str:
    return str(answer.json()["media"][0]["mediaMetadata"]["mediaStatus"]["mediaGenerationStatus"])


async def test_accepts_in_the_shape_of_2026_06(player: Player) -> None:
    answer = (await player.video()).json()
    media = answer["media"][0]
    assert "operations" not in answer
    assert answer["remainingCredits"] == 980
    assert media["projectId"] == player.project
    assert media["mediaMetadata"]["mediaStatus"] == {"mediaGenerationStatus": "MEDIA_GENERATION_STATUS_PENDING"}
    assert media["video"]["dimensions"] == {"length": "8s"}
    assert answer["workflows"][0]["metadata"]["primaryMediaId"] == media["name"]


async def test_accepts_in_the_shape_of_the_seed_era(seed_player: Player) -> None:
    answer = (await seed_player.video(metadata={"sceneId": "scene-1"})).json()
    operation = answer["operations"][0]
    assert len(operation["operation"]["name"]) == 32
    assert (operation["sceneId"], operation["status"]) == ("scene-1", "MEDIA_GENERATION_STATUS_PENDING")
    assert "media" not in answer


async def test_goes_from_pending_over_active_to_successful(player: Player) -> None:
    name = (await player.video()).json()["media"][0]["name"]
    seen = [status_of(await player.poll(name))]
    for seconds in (2, 9, 1):
        player.world.clock.advance(seconds)
        seen.append(status_of(await player.poll(name)))
    assert [word.removeprefix("MEDIA_GENERATION_STATUS_") for word in seen] == [
        "PENDING",
        "ACTIVE",
        "ACTIVE",
        "SUCCESSFUL",
    ]


async def test_a_later_success_names_its_operation_and_no_link(player: Player) -> None:
    name = await player.finished_video()
    answer = await player.poll(name)
    assert answer.json()["media"][0]["video"]["operation"] == {"name": name}
    assert b"http" not in answer.body


async def test_a_seed_success_carries_a_link(seed_player: Player) -> None:
    submitted = (await seed_player.video()).json()["operations"]
    seed_player.world.clock.advance(12)
    path = "/video:batchCheckAsyncVideoGenerationStatus"
    answer = (await seed_player.api("POST", path, {"operations": submitted})).json()["operations"][0]
    video = answer["operation"]["metadata"]["video"]
    assert answer["mediaGenerationId"].startswith("CAUS")
    assert answer["status"] == "MEDIA_GENERATION_STATUS_SUCCESSFUL"
    got = await seed_player.send("GET", video["fifeUrl"].removeprefix("http://127.0.0.1"))
    assert got.headers["content-type"] == "video/mp4"


async def test_a_seed_link_is_renewed_before_it_dies(seed_player: Player) -> None:
    name = (await seed_player.video()).json()["operations"][0]["operation"]["name"]
    seed_player.world.clock.advance(12)
    first = (await seed_player.poll(name)).json()["operations"][0]["operation"]["metadata"]["video"]["fifeUrl"]
    seed_player.world.clock.advance(5 * 3600)
    second = (await seed_player.poll(name)).json()["operations"][0]["operation"]["metadata"]["video"]["fifeUrl"]
    assert first != second


async def test_a_seed_failure_carries_its_error(seed_player: Player) -> None:
    name = (await seed_player.video("a latefail thing")).json()["operations"][0]["operation"]["name"]
    seed_player.world.clock.advance(12)
    answer = (await seed_player.poll(name)).json()
    assert answer["operations"][0]["status"] == "MEDIA_GENERATION_STATUS_FAILED"
    assert answer["operations"][0]["operation"]["error"] == {"code": 3, "message": "PUBLIC_ERROR_DANGER_FILTER"}
    assert answer["remainingCredits"] == 1000


async def test_polls_many_at_once_and_in_their_order(player: Player) -> None:
    names = [(await player.video(f"cat {n}")).json()["media"][0]["name"] for n in range(5)]
    answer = await player.poll(*reversed(names))
    assert [entry["name"] for entry in answer.json()["media"]] == list(reversed(names))
    assert player.world.record.polled_operations == 5


async def test_refuses_polls_of_foreign_unknown_no_and_too_many_jobs(player: Player) -> None:
    name = (await player.video()).json()["media"][0]["name"]
    assert (await player.poll("unknown")).status == 404
    assert (await player.poll()).status == 400
    player.world.options.poll_batch_limit = 1
    assert (await player.poll(name, name)).status == 400
    await player.sign_in(player.add())
    assert (await player.poll(name)).status == 404


@pytest.mark.parametrize(
    ("model", "tier", "cost"),
    [
        ("veo_3_1_t2v_fast", "PAYGATE_TIER_NOT_PAID", 20),
        ("veo_3_1_t2v_fast", "PAYGATE_TIER_TWO", 10),
        ("veo_3_1_t2v_fast_ultra_relaxed", "PAYGATE_TIER_TWO", 0),
        ("veo_3_1_t2v_lite", "PAYGATE_TIER_ONE", 10),
        ("veo_3_1_t2v", "PAYGATE_TIER_ONE", 100),
        ("abra_t2v_8s", "PAYGATE_TIER_ONE", 25),
    ],
)
async def test_takes_the_price_at_submit(player: Player, model: str, tier: Tier, cost: int) -> None:
    player.account.knobs.tier = tier
    assert (await player.video(model=model)).json()["remainingCredits"] == 1000 - cost


async def test_refuses_without_enough_credits_and_starts_nothing(player: Player) -> None:
    player.account.knobs.credits = 19
    answer = await player.video()
    assert (answer.status, answer.reason) == (429, "PUBLIC_ERROR_USER_QUOTA_REACHED")
    assert player.world.jobs.all() == []
    assert player.account.running == {}


async def test_limits_parallel_jobs_until_one_ends(player: Player) -> None:
    player.account.knobs.max_parallel_jobs = 1
    assert (await player.video()).status == 200
    refused = await player.video()
    assert (refused.status, refused.reason) == (429, "PUBLIC_ERROR_CONCURRENT_LIMIT_REACHED")
    player.world.clock.advance(12)
    assert (await player.video()).status == 200


async def test_an_ultra_key_needs_tier_two(player: Player) -> None:
    answer = await player.video(model="veo_3_1_t2v_fast_ultra")
    assert (answer.status, answer.reason) == (403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED")


async def test_filtered_prompts_get_neither_media_nor_operations_and_cost_nothing(player: Player) -> None:
    assert (await player.video("a filtered thing")).json() == {"remainingCredits": 1000}


async def test_start_and_end_frames(player: Player) -> None:
    first, last = await uploaded(player), await uploaded(player)
    frames: dict[str, Any] = {
        "startImage": {"mediaId": first, "cropCoordinates": {"bottom": 1}},
        "endImage": {"mediaId": last},
    }
    answer = await player.video(model="veo_3_1_i2v_s_fast_fl", path=START_END, **frames)
    assert answer.status == 200
    assert status_of(answer).endswith("SCHEDULED")


async def test_a_single_start_frame_goes_two_ways(player: Player) -> None:
    frame: dict[str, Any] = {"startImage": {"mediaId": await uploaded(player)}}
    assert (await player.video(model="veo_3_1_i2v_s_fast_fl", path=START_END, **frame)).status == 200
    assert (await player.video(model="veo_3_1_i2v_s_fast", path=START, **frame)).status == 200
    assert (await player.video(model="veo_3_1_i2v_s_fast_fl", path=START, **frame)).status == 400


async def test_references_up_to_the_keys_limit(player: Player) -> None:
    references = [{"imageUsageType": "IMAGE_USAGE_TYPE_ASSET", "mediaId": await uploaded(player)} for _ in range(4)]
    key = "veo_3_1_r2v_fast_landscape"
    assert (await player.video(model=key, path=REFERENCES, referenceImages=references[:3])).status == 200
    assert (await player.video(model=key, path=REFERENCES, referenceImages=references)).status == 400
    assert (await player.video(model=key, path=REFERENCES)).status == 400
    assert (await player.video(model="abra_r2v_8s", path=REFERENCES, referenceImages=references)).status == 200


async def test_a_reference_key_without_pictures_goes_the_text_way(player: Player) -> None:
    assert (await player.video(model="veo_3_1_r2v_fast_landscape")).status == 200


@pytest.mark.parametrize(
    ("model", "path", "fields"),
    [
        ("veo_3_1_i2v_s_fast_fl", START_END, {}),
        ("veo_3_1_i2v_s_fast_fl", START_END, {"endImage": {"mediaId": "x"}}),
        ("veo_3_1_interpolation_lite", START_END, {"startImage": {"mediaId": "x"}}),
        ("veo_3_1_t2v_fast", "GenerateVideoText", {"startImage": {"mediaId": "x"}}),
        ("veo_3_1_t2v_fast_portrait", "GenerateVideoText", {}),
        ("veo_3_1_t2v_fast", START_END, {"startImage": {"mediaId": "x"}}),
        ("veo_3_1_t2v_fast", "GenerateVideoText", {"aspectRatio": "VIDEO_ASPECT_RATIO_SQUARE"}),
        ("veo_3_1_extend_landscape", EXTEND, {}),
        ("GEM_PIX_2", "GenerateVideoText", {}),
    ],
)
async def test_refuses_inputs_that_do_not_fit(player: Player, model: str, path: str, fields: dict[str, Any]) -> None:
    answer = await player.video(model=model, path=path, **fields)
    assert answer.status == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("key", "resolution"),
    [("veo_3_1_upsampler_1080p", "VIDEO_RESOLUTION_1080P"), ("veo_3_1_upsampler_4k", "VIDEO_RESOLUTION_4K")],
)
async def test_upscales_are_named_after_their_video(player: Player, key: str, resolution: str) -> None:
    player.account.knobs.tier = "PAYGATE_TIER_TWO"
    name = await player.finished_video()
    fields: dict[str, Any] = {"videoInput": {"mediaId": name}, "resolution": resolution, "textInput": None}
    answer = await player.video(model=key, path=UPSCALE, **fields)
    assert answer.json()["media"][0]["name"] == f"{name}_upsampled"
    again = await player.video(model=key, path=UPSCALE, **fields)
    assert again.json()["media"][0]["name"] == f"{name}_upsampled_2"


async def test_an_upscale_must_ask_for_the_keys_resolution(player: Player) -> None:
    fields: dict[str, Any] = {
        "videoInput": {"mediaId": await player.finished_video()},
        "resolution": "VIDEO_RESOLUTION_4K",
    }
    assert (await player.video(model="veo_3_1_upsampler_1080p", path=UPSCALE, **fields)).status == 400


async def test_an_upscale_needs_a_video(player: Player) -> None:
    fields: dict[str, Any] = {"videoInput": {"mediaId": await uploaded(player)}, "resolution": "VIDEO_RESOLUTION_1080P"}
    assert (await player.video(model="veo_3_1_upsampler_1080p", path=UPSCALE, **fields)).status == 400


async def test_an_extension_and_its_joined_film(player: Player) -> None:
    first = await player.finished_video()
    extension = await player.finished_video(
        model="veo_3_1_extend_landscape",
        path=EXTEND,
        videoInput={"mediaId": first, "startFrameIndex": 168, "endFrameIndex": 191},
        metadata={"workflowId": "flow-1"},
    )
    inputs = [
        {"mediaGenerationId": first, "lengthNanos": 8000, "startTimeOffset": "0s", "endTimeOffset": "8s"},
        {"mediaGenerationId": extension, "lengthNanos": 8000, "startTimeOffset": "1s", "endTimeOffset": "8s"},
    ]
    operation = (await player.api("POST", ":runVideoFxConcatenation", {"inputVideos": inputs})).json()["operation"]
    check = ":runVideoFxCheckConcatenationStatus"
    assert (await player.api("POST", check, {"operation": operation})).json()["status"].endswith("PENDING")
    player.world.clock.advance(6)
    done = (await player.api("POST", check, {"operation": operation})).json()
    assert done["status"] == "MEDIA_GENERATION_STATUS_SUCCESSFUL"
    got = await player.send("GET", done["outputUri"].removeprefix("http://127.0.0.1"))
    assert got.headers["content-type"] == "video/mp4"
    player.world.options.concatenation_answer = "encoded"
    encoded = (await player.api("POST", check, {"operation": operation})).json()["encodedVideo"]
    assert base64.b64decode(encoded) == got.body


@pytest.mark.parametrize("offsets", [("8s", "1s"), ("x", "8s"), ("0s", "9s"), ("-1s", "8s")])
async def test_a_join_needs_good_offsets(player: Player, offsets: tuple[str, str]) -> None:
    name = await player.finished_video()
    entry = {"mediaGenerationId": name, "startTimeOffset": offsets[0], "endTimeOffset": offsets[1]}
    assert (await player.api("POST", ":runVideoFxConcatenation", {"inputVideos": [entry, entry]})).status == 400


async def test_a_join_needs_two_videos(player: Player) -> None:
    body = {"inputVideos": [{"mediaGenerationId": await player.finished_video()}]}
    assert (await player.api("POST", ":runVideoFxConcatenation", body)).status == 400


async def test_unfinished_videos_can_not_be_used(player: Player) -> None:
    name = (await player.video()).json()["media"][0]["name"]
    answer = await player.video(model="veo_3_1_extend_landscape", path=EXTEND, videoInput={"mediaId": name})
    assert answer.status == 404
