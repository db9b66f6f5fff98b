import pytest

from tests.unit.simulator.gemini.gemini_player import MODEL, VEO, GeminiPlayer, status_of


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


async def test_given_key_is_taken_once(player: GeminiPlayer) -> None:
    assert player.add(api_key="mine").api_key == "mine"
    with pytest.raises(ValueError, match="API key"):
        player.add(api_key="mine")


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


async def test_what_is_no_call_is_not_found(player: GeminiPlayer) -> None:
    assert (await player.gemini("POST", "/models")).status == 404
    assert (await player.send("GET", "/gemini/v9/models")).status == 404


async def test_call_without_a_key_is_denied(player: GeminiPlayer) -> None:
    assert status_of(await player.gemini("GET", "/models", key="")) == (403, "PERMISSION_DENIED")
