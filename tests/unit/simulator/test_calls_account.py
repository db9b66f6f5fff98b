import base64
from typing import Any

import pytest

from tests.unit.simulator.player import Player


async def test_credits_tell_the_tier_and_what_goes_with_it(player: Player) -> None:
    assert (await player.api("GET", "/credits")).json() == {
        "credits": 1000,
        "userPaygateTier": "PAYGATE_TIER_ONE",
        "sku": "G1_TIER1",
        "serviceTier": "SERVICE_TIER_INTERMEDIATE",
    }


async def test_credits_of_the_seed_era_are_two_fields(seed_player: Player) -> None:
    assert set((await seed_player.api("GET", "/credits")).json()) == {"credits", "userPaygateTier"}


async def test_no_credits_are_no_field(player: Player) -> None:
    player.account.knobs.credits = 0
    assert "credits" not in (await player.api("GET", "/credits")).json()


async def test_credits_come_back_as_soon_as_a_job_has_failed(player: Player) -> None:
    await player.video("a latefail thing")
    assert (await player.api("GET", "/credits")).json()["credits"] == 980
    player.world.clock.advance(12)
    assert (await player.api("GET", "/credits")).json()["credits"] == 1000


async def test_a_dead_bearer_is_unauthenticated(player: Player) -> None:
    player.bearer = "ya29.garbage"
    answer = await player.api("GET", "/credits")
    assert (answer.status, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


async def test_stored_videos_and_pictures_come_as_base64_text(player: Player) -> None:
    video = (await player.api("GET", f"/media/{await player.finished_video()}")).json()
    assert video["video"]["prompt"] == "a cat"
    assert base64.b64decode(video["video"]["encodedVideo"])[4:8] == b"ftyp"
    picture = (await player.picture()).json()["media"][0]["name"]
    stored = (await player.api("GET", f"/media/{picture}")).json()
    assert base64.b64decode(stored["image"]["encodedImage"]).startswith(b"\xff\xd8")


async def test_deleted_assets_are_gone(player: Player) -> None:
    name = await player.finished_video()
    await player.api("POST", "/flow:batchDeleteAssets", {"names": [name]})
    assert (await player.api("GET", f"/media/{name}")).status == 404


async def test_cancel_is_always_refused(player: Player) -> None:
    answer = await player.api("POST", "/flowMedia:cancelGeneration", {"names": ["x"]})
    assert (answer.status, answer.reason) == (400, "PUBLIC_ERROR_MEDIA_GENERATION_CANNOT_BE_CANCELED")


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", ":checkAppAvailability", "availabilityState"),
        ("GET", "/flow/models/statuses", "modelStatus"),
        ("GET", "/flow/appConfig", "isRegionSupported"),
    ],
)
async def test_the_small_calls_answer(player: Player, method: str, path: str, field: str) -> None:
    body: Any = {"clientContext": {"tool": "PINHOLE"}} if method == "POST" else None
    assert (await player.api(method, path, body)).json()[field]


async def test_an_unknown_path_is_not_found_and_recorded(player: Player) -> None:
    assert (await player.api("GET", "/nothing/here")).status == 404
    assert player.world.record.calls["unknown"] == 1
