from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from flow2api.simulator.calls_labs import COOKIE
from tests.unit.simulator.player import START, Answer, Player

DAY_S = 86_400


def rotated(answer: Answer) -> str:
    """The session token of a Set-Cookie header."""
    return answer.headers["set-cookie"].split(";")[0].removeprefix(f"{COOKIE}=")


async def exchange(player: Player, token: str | None = None) -> Answer:
    return await player.labs("GET", "/auth/session", token=token)


async def credits_status(player: Player, token: str) -> int:
    player.bearer = token
    return (await player.api("GET", "/credits")).status


async def test_a_good_exchange_tells_user_expiry_and_a_bearer_that_works(player: Player) -> None:
    session = (await exchange(player)).json()
    assert session["user"]["email"] == "player1@example.com"
    assert session["expires"] == "2026-05-29T20:26:40.000Z"
    assert session["access_token"].startswith("ya29.")
    assert "error" not in session
    assert await credits_status(player, session["access_token"]) == 200


async def test_a_young_access_token_is_handed_out_again_and_an_older_one_replaced(player: Player) -> None:
    first = (await exchange(player)).json()["access_token"]
    player.world.clock.advance(60)
    assert (await exchange(player)).json()["access_token"] == first
    player.world.clock.advance(3600)
    assert (await exchange(player)).json()["access_token"] != first
    assert await credits_status(player, first) == 200


async def test_every_exchange_rotates_the_session_with_the_cookies_attributes(player: Player) -> None:
    first, second = await exchange(player), await exchange(player)
    assert rotated(first) != rotated(second)
    attributes = first.headers["set-cookie"].split("; ")[1:]
    assert attributes[0] == "Path=/"
    assert attributes[2:] == ["HttpOnly", "Secure", "SameSite=Lax"]
    expires = parsedate_to_datetime(attributes[1].removeprefix("Expires="))
    assert expires.timestamp() == START + 30 * DAY_S


async def test_rotation_can_be_off(player: Player) -> None:
    player.account.knobs.rotate = False
    assert "set-cookie" not in (await exchange(player)).headers


async def test_a_rotated_session_opens_a_new_window(player: Player) -> None:
    old = player.account.session_token
    player.world.clock.advance(29 * DAY_S)
    new = rotated(await exchange(player, old))
    player.world.clock.advance(2 * DAY_S)
    assert (await exchange(player, old)).json() == {}
    assert "access_token" in (await exchange(player, new)).json()


async def test_an_access_token_dies_after_its_lifetime(player: Player) -> None:
    player.account.knobs.at_lifetime_s = 90
    player.world.book.kill_access_tokens(player.account)
    token = (await exchange(player)).json()["access_token"]
    player.world.clock.advance(89)
    assert await credits_status(player, token) == 200
    player.world.clock.advance(1)
    assert await credits_status(player, token) == 401


async def test_a_stale_session_tells_the_past_first_and_is_good_with_the_rotated_token(player: Player) -> None:
    player.account.knobs.stale_then_rotate = True
    stale = await exchange(player)
    assert stale.json()["expires"] < "2026-05-28T20:26:40.000Z"
    assert stale.json()["access_token"] == player.bearer
    fresh = await exchange(player, rotated(stale))
    assert fresh.json()["expires"] > "2026-05-29"


async def test_a_stale_session_token_stays_stale(player: Player) -> None:
    old = player.account.session_token
    player.account.knobs.stale_then_rotate = True
    await exchange(player, old)
    assert (await exchange(player, old)).json()["expires"] < "2026-05-28T20:26:40.000Z"


async def test_a_broken_refresh_says_so_beside_a_dead_bearer(player: Player) -> None:
    player.account.knobs.refresh_needed = True
    session = (await exchange(player)).json()
    assert session["error"] == "ACCESS_TOKEN_REFRESH_NEEDED"
    assert await credits_status(player, session["access_token"]) == 401


async def test_only_a_new_login_cures_a_broken_refresh(player: Player) -> None:
    old = player.account.session_token
    player.account.knobs.refresh_needed = True
    await player.control("POST", f"/accounts/{player.account.id}/sign-in")
    assert (await exchange(player, old)).json()["error"] == "ACCESS_TOKEN_REFRESH_NEEDED"
    assert "error" not in (await exchange(player, player.account.session_token)).json()


async def test_an_ended_grant_looks_good_until_the_bearer_is_used(player: Player) -> None:
    player.account.knobs.grant_expired = True
    session = (await exchange(player)).json()
    assert "error" not in session
    assert await credits_status(player, session["access_token"]) == 401


@pytest.mark.parametrize(
    ("knobs", "status"),
    [({"signed_out": True}, 200), ({"revoked": "empty"}, 200), ({"revoked": "unauthorized"}, 401)],
)
async def test_dead_sessions_get_an_empty_answer(player: Player, knobs: dict[str, Any], status: int) -> None:
    for name, value in knobs.items():
        setattr(player.account.knobs, name, value)
    answer = await exchange(player)
    assert (answer.status, answer.json()) == (status, {})


async def test_garbage_gets_an_empty_answer(player: Player) -> None:
    assert (await exchange(player, "garbage")).json() == {}
    assert (await player.send("GET", "/fx/api/auth/session")).json() == {}


async def test_a_migrated_account_is_sent_to_the_new_host(player: Player) -> None:
    player.account.knobs.migrated = True
    answer = await exchange(player)
    assert (answer.status, answer.headers["location"]) == (307, "https://flow.google.com/")
    assert (await player.labs("GET", "/trpc/media.getMediaUrlRedirect?name=x")).status == 404


async def test_projects_are_made_listed_and_deleted(player: Player) -> None:
    listed = (await player.labs("GET", "/trpc/project.searchUserProjects")).json()
    rows = listed["result"]["data"]["json"]["result"]["projects"]
    assert [row["projectId"] for row in rows] == [player.project]
    assert rows[0]["projectInfo"] == {"projectTitle": "Test"}
    body = {"json": {"projectToDeleteId": player.project}}
    assert (await player.labs("POST", "/trpc/project.deleteProject", body)).json()["result"]["data"]["json"][
        "result"
    ] == {}
    assert (await player.labs("POST", "/trpc/project.deleteProject", body)).status == 404
    assert (await player.picture()).status == 404


async def test_projects_need_a_session(player: Player) -> None:
    answer = await player.labs("POST", "/trpc/project.createProject", {"json": {}}, token="garbage")
    assert answer.status == 401
    assert answer.json()["error"]["json"]["data"]["code"] == "UNAUTHORIZED"


async def test_project_data_lists_the_models_of_the_era(player: Player) -> None:
    query = "%7B%22json%22%3A%7B%22projectId%22%3A%22" + player.project + "%22%7D%7D"
    answer = await player.labs("GET", f"/trpc/flow.projectInitialData?input={query}")
    models = answer.json()["result"]["data"]["json"]["result"]["modelConfig"]["models"]
    assert "NARWHAL" in {model["modelKey"] for model in models}


async def test_the_redirect_leads_to_a_signed_link(player: Player) -> None:
    name = await player.finished_video()
    answer = await player.labs(
        "GET", f"/trpc/media.getMediaUrlRedirect?name={name}&mediaUrlType=MEDIA_URL_TYPE_FULL_MEDIA"
    )
    assert answer.status == 307
    link = answer.headers["location"].removeprefix("http://127.0.0.1")
    assert link.startswith(f"/flow-content/video/{name}?Expires=")
    assert (await player.send("GET", link)).headers["content-type"] == "video/mp4"


async def test_the_redirect_leads_to_a_thumbnail_too(player: Player) -> None:
    name = await player.finished_video()
    answer = await player.labs(
        "GET", f"/trpc/media.getMediaUrlRedirect?name={name}&mediaUrlType=MEDIA_URL_TYPE_THUMBNAIL"
    )
    link = answer.headers["location"].removeprefix("http://127.0.0.1")
    assert (await player.send("GET", link)).body.startswith(b"\xff\xd8\xff")


async def test_the_redirect_of_a_dead_session_is_a_sign_in_page(player: Player) -> None:
    name = await player.finished_video()
    answer = await player.labs("GET", f"/trpc/media.getMediaUrlRedirect?name={name}", token="garbage")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_redirect_does_not_find_a_video_at_first_when_told_so() -> None:
    player = await Player(redirect_not_found_first=2).sign_in()
    name = await player.finished_video()
    statuses = [(await player.labs("GET", f"/trpc/media.getMediaUrlRedirect?name={name}")).status for _ in range(3)]
    assert statuses == [404, 404, 307]


async def test_the_redirect_hides_media_of_others_and_unfinished_ones(player: Player) -> None:
    running = (await player.video()).json()["media"][0]["name"]
    assert (await player.labs("GET", f"/trpc/media.getMediaUrlRedirect?name={running}")).status == 404
    done = await player.finished_video()
    await player.sign_in(player.add())
    assert (await player.labs("GET", f"/trpc/media.getMediaUrlRedirect?name={done}")).status == 404


async def test_deleted_media_are_gone(player: Player) -> None:
    name = await player.finished_video()
    answer = await player.labs("POST", "/trpc/media.deleteMedia", {"json": {"names": [name, "unknown"]}})
    assert answer.json()["result"]["data"]["json"]["result"] == {}
    assert (await player.api("GET", f"/media/{name}")).status == 404
