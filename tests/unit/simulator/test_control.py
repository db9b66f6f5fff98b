import base64
import hashlib
from typing import Any

import pytest

from tests.unit.simulator.player import START, Player
from tests.unit.simulator.test_calls_pictures import png


async def test_makes_several_accounts_with_the_same_knobs(player: Player) -> None:
    made = (await player.control("POST", "/accounts", {"count": 3, "knobs": {"credits": 5}})).json()
    assert [entry["knobs"]["credits"] for entry in made] == [5, 5, 5]
    assert len({entry["session_token"] for entry in made}) == 3
    assert len((await player.control("GET", "/accounts")).json()) == 4


async def test_changes_knobs_by_id_or_email(player: Player) -> None:
    changed = await player.control("PATCH", "/accounts/player1@example.com", {"credits": 7, "rotate": False})
    assert (changed.json()["knobs"]["credits"], changed.json()["knobs"]["rotate"]) == (7, False)
    assert (await player.api("GET", "/credits")).json()["credits"] == 7


async def test_shows_projects_and_jobs_of_an_account(player: Player) -> None:
    await player.video()
    shown = (await player.control("GET", f"/accounts/{player.account.id}")).json()
    assert (shown["projects"], shown["running_jobs"], shown["peak_jobs"]) == ([player.project], 1, 1)
    player.world.clock.advance(12)
    assert (await player.control("GET", f"/accounts/{player.account.id}")).json()["running_jobs"] == 0


async def test_kills_access_tokens(player: Player) -> None:
    await player.control("POST", f"/accounts/{player.account.id}/kill-access-tokens")
    assert (await player.api("GET", "/credits")).status == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/accounts/acc-1", {"creditz": 1}, 400),
        ("PATCH", "/accounts/acc-1", {"credits": "many"}, 400),
        ("POST", "/accounts", {"count": 0}, 400),
        ("POST", "/accounts", {"count": 2, "knobs": {"email": "a@example.com"}}, 400),
        ("POST", "/accounts", {"knobs": {"email": "player1@example.com"}}, 400),
        ("GET", "/accounts/nobody", None, 404),
        ("GET", "/nothing", None, 404),
        ("DELETE", "/accounts/acc-1", None, 404),
        ("POST", "/faults", {"kind": "earthquake"}, 400),
        ("POST", "/faults", {"kind": "error", "call": "misspelt"}, 400),
        ("GET", "/requests?call=misspelt", None, 400),
        ("PATCH", "/options", {"era": "2031"}, 400),
        ("PATCH", "/clock", {"speed": -1}, 400),
        ("GET", "/requests?account=nobody", None, 404),
        ("GET", "/requests?after=x", None, 400),
    ],
)
async def test_says_what_is_wrong(player: Player, method: str, path: str, body: Any, status: int) -> None:
    answer = await player.control(method, path, body)
    assert answer.status == status
    assert answer.json()["error"]


async def test_answers_on_names_of_the_loopback_only(player: Player) -> None:
    assert (await player.control("GET", "/accounts", host="evil.example:8899")).status == 403
    assert (await player.control("GET", "/accounts", host="localhost")).status == 200


async def test_moves_the_clock(player: Player) -> None:
    answer = await player.control("PATCH", "/clock", {"now": 100.0, "advance_s": 50, "speed": 0})
    assert answer.json() == {"now": 150.0, "speed": 0.0}
    assert (await player.control("GET", "/clock")).json() == {"now": 150.0, "speed": 0.0}


async def test_adds_shows_and_clears_faults(player: Player) -> None:
    added = (await player.control("POST", "/faults", {"kind": "error", "status": 503, "call": "credits"})).json()
    assert (await player.api("GET", "/credits")).status == 503
    shown = (await player.control("GET", "/faults")).json()
    assert [(fault["id"], fault["hits"]) for fault in shown] == [(added["id"], 1)]
    await player.control("DELETE", "/faults")
    assert (await player.control("GET", "/faults")).json() == []


async def test_changes_the_era_while_running(player: Player) -> None:
    await player.control("PATCH", "/options", {"era": "seed"})
    assert "operations" in (await player.video()).json()
    assert (await player.control("GET", "/options")).json()["era"] == "seed"


async def test_records_each_request_without_its_bytes_and_secrets(player: Player) -> None:
    content = png()
    await player.api("POST", "/flow/uploadImage", {"imageBytes": content})
    answer = await player.control("GET", "/requests?call=upload_*")
    (entry,) = answer.json()
    raw = base64.b64decode(content)
    assert entry["body"]["imageBytes"] == {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    assert (entry["method"], entry["path"], entry["status"], entry["account"]) == (
        "POST",
        "/v1/flow/uploadImage",
        200,
        "acc-1",
    )
    assert entry["at"] == START
    assert entry["authorization"] == hashlib.sha256(player.bearer.encode()).hexdigest()[:12]
    assert player.bearer.encode() not in answer.body


async def test_finds_requests_by_account_and_after_an_id(player: Player) -> None:
    first = player.account.id
    await player.sign_in(player.add())
    of_first = (await player.control("GET", f"/requests?account={first}")).json()
    assert [entry["call"] for entry in of_first] == ["exchange", "create_project"]
    later = (await player.control("GET", f"/requests?after={of_first[-1]['id']}")).json()
    assert {entry["account"] for entry in later} == {"acc-2"}


async def test_forgets_the_oldest_requests(player: Player) -> None:
    player.world.options.record_limit = 2
    for _ in range(4):
        await player.api("GET", "/credits")
    assert [entry["id"] for entry in (await player.control("GET", "/requests")).json()] == [5, 6]


async def test_forgets_requests_whose_bodies_grow_too_large(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.simulator.record.KEPT_BYTES", 500)
    for _ in range(9):
        await player.api("POST", "/flow:batchDeleteAssets", {"names": ["x" * 200]})
    assert len((await player.control("GET", "/requests?call=delete_assets")).json()) == 2


async def test_counts_per_call_and_account(player: Player) -> None:
    await player.picture()
    name = (await player.video()).json()["media"][0]["name"]
    await player.poll(name, name)
    counters = (await player.control("GET", "/counters")).json()
    assert (counters["submits"], counters["polls"], counters["polled_operations"], counters["exchanges"]) == (
        2,
        1,
        2,
        1,
    )
    assert counters["credits_spent"] == counters["accounts"]["acc-1"]["credits_spent"] == 20
    assert counters["accounts"]["acc-1"]["calls"]["poll_videos"] == 1


async def test_lists_jobs(player: Player) -> None:
    await player.video()
    await player.sign_in(player.add())
    await player.video("a dog")
    assert [job["prompt"] for job in (await player.control("GET", "/jobs")).json()] == ["a cat", "a dog"]
    (job,) = (await player.control("GET", "/jobs?account=acc-2")).json()
    assert (job["state"], job["price"], job["kind"]) == ("PENDING", 20, "t2v")


async def test_a_reset_forgets_everything(player: Player) -> None:
    await player.video()
    await player.control("PATCH", "/options", {"era": "seed"})
    player.world.clock.advance(99)
    await player.control("POST", "/reset")
    assert (await player.control("GET", "/accounts")).json() == []
    assert (await player.control("GET", "/jobs")).json() == []
    assert (await player.control("GET", "/options")).json()["era"] == "2026-06"
    assert (await player.control("GET", "/clock")).json()["now"] == START


async def test_a_reset_can_keep_accounts_and_their_tokens(player: Player) -> None:
    await player.video()
    await player.control("POST", "/reset", {"keep_accounts": True})
    assert (await player.picture()).status == 200
    assert (await player.control("GET", "/counters")).json()["credits_spent"] == 0
