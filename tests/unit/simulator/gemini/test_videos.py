import base64
from typing import Any

import pytest

from tests.unit.simulator.gemini.gemini_player import PNG, GeminiPlayer, status_of


async def test_veo_runs_and_is_fetched_with_the_key_by_its_owner_alone(player: GeminiPlayer) -> None:
    name = (await player.begin()).json()["name"]
    running = (await player.gemini("GET", f"/{name}")).json()
    player.world.clock.advance(11)
    done = (await player.gemini("GET", f"/{name}")).json()

    assert "done" not in running
    address = done["response"]["generateVideoResponse"]["generatedSamples"][0]["video"]["uri"]
    path = address.partition("/gemini/v1beta")[2]
    assert (await player.gemini("GET", path)).headers["content-type"] == "video/mp4"
    stranger = player.add()
    assert (await player.gemini("GET", path, key=stranger.api_key)).status == 404
    assert (await player.gemini("GET", f"/{name}", key=stranger.api_key)).status == 404


async def test_veo_goes_on_from_what_it_has_made_for_its_owner_alone(player: GeminiPlayer) -> None:
    name = (await player.begin()).json()["name"]
    player.world.clock.advance(11)
    done = (await player.gemini("GET", f"/{name}")).json()
    video = done["response"]["generateVideoResponse"]["generatedSamples"][0]["video"]

    longer = (await player.begin(video={"uri": video["uri"]})).json()["name"]
    player.world.clock.advance(11)

    job = player.world.jobs.find(longer)
    assert job is not None
    assert (job.item.seconds, len(job.item.sources)) == (15, 2)
    picture = {"bytesBase64Encoded": base64.b64encode(PNG).decode(), "mimeType": "image/png"}
    assert status_of(await player.begin(video={"uri": video["uri"]}, image=picture))[0] == 400
    assert status_of(await player.begin(video={"uri": "files/unknown"})) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    "instance",
    [
        {"lastFrame": {"bytesBase64Encoded": base64.b64encode(PNG).decode(), "mimeType": "image/png"}},
        {"negativePromptt": "x"},
        {"prompt": " "},
    ],
)
async def test_wrong_instance_of_veo_is_refused(player: GeminiPlayer, instance: dict[str, Any]) -> None:
    assert status_of(await player.begin(**instance)) == (400, "INVALID_ARGUMENT")
