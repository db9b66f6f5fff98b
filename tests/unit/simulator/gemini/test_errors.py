from tests.unit.simulator.gemini.gemini_player import GeminiPlayer


async def test_scripted_refusal_has_typed_details(player: GeminiPlayer) -> None:
    fault = {"kind": "error", "call": "gemini_generate", "status": 429, "quota_id": "X-PerDay", "retry_after_s": 37}
    await player.control("POST", "/faults", fault)

    details = (await player.generate()).json()["error"]["details"]

    assert [detail["@type"].rpartition(".")[2] for detail in details] == ["QuotaFailure", "RetryInfo"]
    assert details[1]["retryDelay"] == "37s"
