from typing import Any

import pytest

from flow2api.simulator.accounts import Account
from flow2api.simulator.control_schema import AccountKnobs, Fault
from flow2api.simulator.faults import FaultScript
from tests.unit.simulator.player import Player

ADA = Account("acc-1", AccountKnobs(email="ada@example.com"))


def hits(script: FaultScript, calls: int, name: str = "credits", account: Account | None = ADA) -> list[bool]:
    return [bool(script.strike(name, account)) for _ in range(calls)]


def script_of(**fields: Any) -> FaultScript:
    script = FaultScript()
    script.add(Fault(kind="error", **fields))
    return script


def test_hits_the_first_match_by_default() -> None:
    assert hits(script_of(), 3) == [True, False, False]


def test_hits_the_nth_match_and_so_many_after_it() -> None:
    assert hits(script_of(nth=2, times=2), 5) == [False, True, True, False, False]


def test_hits_without_end_when_times_is_none() -> None:
    assert hits(script_of(nth=2, times=None), 4) == [False, True, True, True]


def test_matches_call_names_by_pattern() -> None:
    script = script_of(call="submit_*", times=None)
    assert hits(script, 1, "submit_text_video") == [True]
    assert hits(script, 1, "poll_videos") == [False]


@pytest.mark.parametrize(
    ("wanted", "hit"), [("acc-1", True), ("ada@example.com", True), ("acc-2", False), (None, True)]
)
def test_matches_accounts_by_id_or_email(wanted: str | None, hit: bool) -> None:
    assert hits(script_of(account=wanted), 1) == [hit]


def test_a_fault_of_an_account_leaves_anonymous_calls_alone() -> None:
    assert hits(script_of(account="acc-1"), 1, account=None) == [False]


def test_several_faults_can_hit_one_call() -> None:
    script = script_of(times=None)
    script.add(Fault(kind="latency", latency_s=1))
    assert len(script.strike("credits", ADA)) == 2
    assert len(script.strike("credits", ADA)) == 1


async def fault(player: Player, kind: Any, **fields: Any) -> None:
    player.world.faults.add(Fault(kind=kind, **fields))


async def test_an_error_comes_in_the_upstreams_envelope_with_retry_after(player: Player) -> None:
    await fault(player, "error", status=429, reason="PUBLIC_ERROR_USER_REQUESTS_THROTTLED", retry_after_s=7)
    answer = await player.api("GET", "/credits")
    assert (answer.status, answer.reason) == (429, "PUBLIC_ERROR_USER_REQUESTS_THROTTLED")
    assert answer.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize(("work_done", "spent"), [(False, 0), (True, 20)])
async def test_a_dropped_submit_has_taken_effect_only_when_asked(player: Player, work_done: bool, spent: int) -> None:
    await fault(player, "drop", call="submit_*", work_done=work_done)
    answer = await player.video()
    assert answer.cut
    assert answer.status == 0
    assert player.account.counters.credits_spent == spent


async def test_an_html_body_replaces_the_answer(player: Player) -> None:
    await fault(player, "html", status=502)
    answer = await player.api("GET", "/credits")
    assert answer.status == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.body.startswith(b"<!doctype html>")


@pytest.mark.parametrize("kind", ["malformed", "empty_body", "huge_body"])
async def test_unreadable_bodies_come_with_status_200(player: Player, kind: str) -> None:
    await fault(player, kind, size_bytes=200_000)
    answer = await player.api("GET", "/credits")
    assert answer.status == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()


async def test_a_huge_body_has_the_length_that_was_asked_for(player: Player) -> None:
    await fault(player, "huge_body", size_bytes=200_000)
    answer = await player.api("GET", "/credits")
    assert len(answer.body) == int(answer.headers["content-length"]) == 200_000


async def test_a_padded_answer_begins_with_the_true_one(player: Player) -> None:
    true = (await player.api("GET", "/credits")).body
    await fault(player, "padded", size_bytes=200_000)
    answer = await player.api("GET", "/credits")
    assert len(answer.body) == int(answer.headers["content-length"]) == 200_000
    assert answer.body.startswith(true)


async def test_a_truncated_answer_ends_in_the_middle(player: Player) -> None:
    await fault(player, "truncate")
    answer = await player.api("GET", "/credits")
    assert answer.cut
    assert len(answer.body) == int(answer.headers["content-length"]) // 2


async def test_a_dripping_answer_is_whole(player: Player) -> None:
    await fault(player, "drip", chunk_bytes=5, interval_s=0)
    assert (await player.api("GET", "/credits")).json()["credits"] == 1000


async def test_another_content_type_leaves_the_body(player: Player) -> None:
    await fault(player, "content_type", content_type="text/plain")
    answer = await player.api("GET", "/credits")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.json()["credits"] == 1000


async def test_an_inner_failure_hides_in_a_good_trpc_answer(player: Player) -> None:
    await fault(player, "inner_status", call="create_project", status=500)
    answer = await player.labs("POST", "/trpc/project.createProject", {"json": {}})
    assert answer.status == 200
    assert answer.json()["result"]["data"]["json"]["status"] == 500


async def test_empty_media_and_missing_urls(player: Player) -> None:
    await fault(player, "empty_media", call="generate_images")
    assert (await player.picture()).json() == {"media": []}
    await fault(player, "no_url", call="generate_images")
    generated = (await player.picture()).json()["media"][0]["image"]["generatedImage"]
    assert "fifeUrl" not in generated


async def test_a_failing_job_is_accepted_and_gives_its_credits_back(player: Player) -> None:
    await fault(player, "fail_job", call="submit_*", reason="PUBLIC_ERROR_IP_INPUT_IMAGE")
    name = await player.finished_video()
    status = (await player.poll(name)).json()["media"][0]["mediaMetadata"]
    assert status["mediaStatus"]["mediaGenerationStatus"] == "MEDIA_GENERATION_STATUS_FAILED"
    assert status["mediaStatus"]["error"] == {"code": 3, "message": "PUBLIC_ERROR_IP_INPUT_IMAGE"}
    assert status["mediaStatus"]["failureReasons"] == ["IP_PROHIBITED"]
    assert status["visibility"] == "FILTERED"
    assert player.account.knobs.credits == 1000


async def test_a_stuck_job_never_leaves_active(player: Player) -> None:
    await fault(player, "stuck_job", call="submit_*")
    name = await player.finished_video()
    player.world.clock.advance(20 * 86_400)
    await player.labs("GET", "/auth/session")
    player.bearer = player.account.access_token
    status = (await player.poll(name)).json()["media"][0]["mediaMetadata"]["mediaStatus"]
    assert status["mediaGenerationStatus"] == "MEDIA_GENERATION_STATUS_ACTIVE"


async def test_the_redirect_can_point_to_a_foreign_host(player: Player) -> None:
    name = await player.finished_video()
    await fault(player, "redirect", location="https://elsewhere.invalid/x")
    answer = await player.labs("GET", f"/trpc/media.getMediaUrlRedirect?name={name}")
    assert (answer.status, answer.headers["location"]) == (307, "https://elsewhere.invalid/x")
