import asyncio

import pytest

from flow2api.simulator.app import session_cookie
from flow2api.simulator.routes import NAMES, find_route
from tests.unit.simulator.player import Player

COOKIE = "__Secure-next-auth.session-token"


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (f"{COOKIE}=abc", "abc"),
        (f"a=b; {COOKIE}=abc=; c=d", "abc="),
        ("a=b", None),
        ("", None),
    ],
)
def test_finds_the_session_among_cookies(header: str, token: str | None) -> None:
    assert session_cookie(header) == token


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "bearer "])
async def test_other_authorizations_are_no_bearer(player: Player, header: str) -> None:
    answer = await player.send("GET", "/v1/credits", headers={"authorization": header})
    assert answer.reason == "CREDENTIALS_MISSING"


async def test_an_app_key_in_the_query_is_ignored(player: Player) -> None:
    assert (await player.api("GET", "/credits?key=AIza")).status == 200
    assert (await player.send("GET", "/v1/credits?key=AIza")).status == 401


async def test_a_body_that_is_no_json_is_an_invalid_argument(player: Player) -> None:
    answer = await player.api("POST", "/video:batchCheckAsyncVideoGenerationStatus", b"{not json")
    assert (answer.status, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_routes_tell_their_target() -> None:
    route = find_route("POST", "/v1/projects/p-1/flowMedia:batchGenerateImages")
    assert route is not None
    assert (route.name, route.target) == ("generate_images", "p-1")
    assert find_route("GET", "/v1/projects/p-1/flowMedia:batchGenerateImages") is None


def test_call_names_are_words_that_patterns_can_tell_apart() -> None:
    assert {name for name in NAMES if name.startswith("submit_")} == {
        "submit_text_video",
        "submit_reference_video",
        "submit_start_end_video",
        "submit_start_video",
        "submit_video_upscale",
        "submit_video_extend",
    }


async def test_requests_are_recorded_with_the_faults_that_hit_them(player: Player) -> None:
    await player.control("POST", "/faults", {"kind": "latency", "call": "credits"})
    await player.api("GET", "/credits?key=1")
    (entry,) = (await player.control("GET", "/requests?call=credits")).json()
    assert (entry["faults"], entry["query"], entry["body"]) == ([1], "key=1", None)


async def test_who_is_made_to_wait_goes_on_when_the_faults_are_removed(player: Player) -> None:
    await player.control("POST", "/faults", {"kind": "latency", "call": "credits", "latency_s": 3600})
    waiting = asyncio.create_task(player.api("GET", "/credits"))
    while (await player.control("GET", "/counters")).json()["calls"].get("credits") != 1:
        await asyncio.sleep(0)
    assert not waiting.done()

    await player.control("DELETE", "/faults")

    async with asyncio.timeout(30):
        assert (await waiting).status == 200
