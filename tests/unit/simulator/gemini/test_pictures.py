import base64
from typing import Any

import pytest

from tests.unit.simulator.gemini.gemini_player import MODEL, GeminiPlayer, status_of


async def test_picture_comes_after_what_was_thought(player: GeminiPlayer) -> None:
    answer = (await player.generate()).json()

    (candidate,) = answer["candidates"]
    parts = candidate["content"]["parts"]
    assert candidate["finishReason"] == "STOP"
    assert [bool(part.get("thought")) for part in parts] == [True, True, False, False]
    assert base64.b64decode(parts[-1]["inlineData"]["data"]).startswith(b"\xff\xd8")
    assert answer["modelVersion"] == MODEL


async def test_blocked_prompt_and_blocked_picture_are_successes_with_a_reason(player: GeminiPlayer) -> None:
    blocked, filtered = await player.generate("unsafe"), await player.generate("filtered")

    assert (blocked.status, blocked.json()["promptFeedback"]["blockReason"]) == (200, "PROHIBITED_CONTENT")
    assert "candidates" not in blocked.json()
    assert filtered.json()["candidates"][0]["finishReason"] == "IMAGE_SAFETY"


@pytest.mark.parametrize(
    "config",
    [
        {"imageConfig": {"aspectRatio": "7:5"}},
        {"imageConfig": {"imageSize": "2k"}},
        {"imageConfig": {"aspect_ratio": "1:1"}},
        {"somethingElse": 1},
    ],
)
async def test_what_the_api_does_not_know_is_refused(player: GeminiPlayer, config: dict[str, Any]) -> None:
    assert status_of(await player.generate(**config)) == (400, "INVALID_ARGUMENT")


async def test_picture_that_is_none_is_refused(player: GeminiPlayer) -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    answer = await player.gemini("POST", f"/models/{MODEL}:generateContent", {"contents": [{"parts": [part]}]})

    assert status_of(answer) == (400, "INVALID_ARGUMENT")


async def test_imagen_tells_the_reason_of_its_filter_only_when_asked(player: GeminiPlayer) -> None:
    path = "/models/imagen-4.0-generate-001:predict"
    silent = await player.gemini("POST", path, {"instances": [{"prompt": "unsafe"}]})
    told = await player.gemini(
        "POST", path, {"instances": [{"prompt": "unsafe"}], "parameters": {"includeRaiReason": True}}
    )
    made = await player.gemini("POST", path, {"instances": [{"prompt": "a mug"}], "parameters": {"sampleCount": 2}})

    assert silent.json() == {}
    assert "raiFilteredReason" in told.json()["predictions"][0]
    assert len(made.json()["predictions"]) == 2
