import base64

from tests.unit.simulator.gemini.gemini_player import GeminiPlayer


async def test_omni_tells_its_steps(player: GeminiPlayer) -> None:
    begun = (await player.interact()).json()
    player.world.clock.advance(11)
    done = (await player.gemini("GET", f"/interactions/{begun['id']}?stream=false")).json()

    assert begun["status"] in ("queued", "in_progress")
    assert done["status"] == "completed"
    assert [step["type"] for step in done["steps"]] == ["user_input", "thought", "model_output"]
    assert base64.b64decode(done["steps"][-1]["content"][0]["data"])[4:8] == b"ftyp"


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
