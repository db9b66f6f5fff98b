"""The played Gemini API: who is let in, what is refused, and in which shapes it answers."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.simulator.player import Answer, Player

MODEL = "gemini-3.1-flash-image"
VEO = "veo-3.1-fast-generate-preview"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class GeminiPlayer(Player):
    """A player with an API key."""

    async def gemini(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        headers = {"x-goog-api-key": self.account.api_key if key is None else key}
        return await self.send(method, "/gemini/v1beta" + path, body, headers if key != "" else {})

    async def generate(self, text: str = "a mug", **config: Any) -> Answer:
        shape = {"aspectRatio": "1:1"} | config.pop("imageConfig", {})
        wanted = {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": shape} | config
        body = {"contents": [{"parts": [{"text": text}]}], "generationConfig": wanted}
        return await self.gemini("POST", f"/models/{MODEL}:generateContent", body)

    async def begin(self, text: str = "a cat", model: str = VEO, **instance: Any) -> Answer:
        return await self.gemini(
            "POST", f"/models/{model}:predictLongRunning", {"instances": [{"prompt": text} | instance]}
        )

    async def interact(self, text: str = "a cat", **fields: Any) -> Answer:
        wanted = {"type": "video", "delivery": "uri"} | fields.pop("response_format", {})
        body = {"model": "gemini-omni-1.2-flash", "input": text, "background": True, "response_format": wanted}
        return await self.gemini("POST", "/interactions", body | fields)


@pytest.fixture
async def player() -> AsyncIterator[GeminiPlayer]:
    player = GeminiPlayer(video_s=10)
    yield player
    player.world.renderer.close()


def status_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]["status"]


async def test_key_of_an_account_opens_it(player: GeminiPlayer) -> None:
    listed = (await player.gemini("GET", "/models?pageSize=2")).json()
    rest = (await player.gemini("GET", f"/models?pageSize=100&pageToken={listed['nextPageToken']}")).json()

    assert len(listed["models"]) == 2
    assert "nextPageToken" not in rest
    one = (await player.gemini("GET", f"/models/{MODEL}")).json()
    assert one["supportedGenerationMethods"] == ["generateContent"]


async def test_wrong_key_is_a_bad_request_with_a_reason(player: GeminiPlayer) -> None:
    answer = await player.gemini("GET", "/models", key="AIzaNobody")

    assert status_of(answer) == (400, "INVALID_ARGUMENT")
    assert answer.reason == "API_KEY_INVALID"


async def test_call_without_a_key_is_denied(player: GeminiPlayer) -> None:
    assert status_of(await player.gemini("GET", "/models", key="")) == (403, "PERMISSION_DENIED")


async def test_given_key_is_taken_once(player: GeminiPlayer) -> None:
    assert player.add(api_key="mine").api_key == "mine"
    with pytest.raises(ValueError, match="API key"):
        player.add(api_key="mine")


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


@pytest.mark.parametrize("path", [f"/models/{VEO}:generateContent", "/models/nothing:generateContent"])
async def test_model_of_another_call_is_not_found(player: GeminiPlayer, path: str) -> None:
    answer = await player.gemini("POST", path, {"contents": [{"parts": [{"text": "x"}]}]})

    assert status_of(answer) == (404, "NOT_FOUND")


async def test_quota_of_nothing_and_quota_that_is_used_up_tell_their_value(player: GeminiPlayer) -> None:
    player.account.knobs.model_quota_per_day = {MODEL: 0}
    none = (await player.generate()).json()["error"]["details"][0]["violations"][0]
    player.account.knobs.model_quota_per_day = {MODEL: 1}
    first, second = await player.generate(), await player.generate()

    assert (none["quotaValue"], none["quotaDimensions"]["model"]) == ("0", MODEL)
    assert none["quotaId"].endswith("-FreeTier")
    assert (first.status, second.status) == (200, 429)
    assert "PerDay" in second.json()["error"]["details"][0]["violations"][0]["quotaId"]


async def test_scripted_refusal_has_typed_details(player: GeminiPlayer) -> None:
    fault = {"kind": "error", "call": "gemini_generate", "status": 429, "quota_id": "X-PerDay", "retry_after_s": 37}
    await player.control("POST", "/faults", fault)

    details = (await player.generate()).json()["error"]["details"]

    assert [detail["@type"].rpartition(".")[2] for detail in details] == ["QuotaFailure", "RetryInfo"]
    assert details[1]["retryDelay"] == "37s"


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


async def test_omni_tells_its_steps(player: GeminiPlayer) -> None:
    begun = (await player.interact()).json()
    player.world.clock.advance(11)
    done = (await player.gemini("GET", f"/interactions/{begun['id']}?stream=false")).json()

    assert begun["status"] in ("queued", "in_progress")
    assert done["status"] == "completed"
    assert [step["type"] for step in done["steps"]] == ["user_input", "thought", "model_output"]
    assert "/files/" in done["steps"][-1]["content"][0]["uri"]


async def test_omni_sends_the_video_along_where_no_address_is_wanted(player: GeminiPlayer) -> None:
    begun = (await player.interact(response_format={"delivery": "inline"})).json()
    player.world.clock.advance(11)
    done = (await player.gemini("GET", f"/interactions/{begun['id']}")).json()

    assert b"ftyp" in base64.b64decode(done["steps"][-1]["content"][0]["data"])[:12]


async def test_refusals_of_interactions_have_a_word_for_a_code(player: GeminiPlayer) -> None:
    answer = await player.interact(response_format={"duration": "20s"})

    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert (await player.gemini("GET", "/interactions/none")).json()["error"]["code"] == "not_found"


async def test_task_has_to_fit_the_pictures(player: GeminiPlayer) -> None:
    answer = await player.interact(generation_config={"video_config": {"task": "image_to_video"}})

    assert answer.status == 400


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


async def test_what_is_no_call_is_not_found(player: GeminiPlayer) -> None:
    assert (await player.gemini("POST", "/models")).status == 404
    assert (await player.send("GET", "/gemini/v9/models")).status == 404
