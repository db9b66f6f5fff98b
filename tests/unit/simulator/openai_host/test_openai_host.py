"""The played OpenAI-compatible host: shapes, refusals, accounts, faults."""

import base64
import json
from typing import Any

import pytest

from flow2api.testing.contracts.backstage import SMALL_JPEG
from tests.unit.simulator.player import Answer, Player

BASE = "/openai/v1"
BOUNDARY = "-x-"


async def ask(player: Player, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    given = {
        "authorization": f"Bearer {player.account.api_key}",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return await player.send(method, BASE + path, body, given)


def form(fields: dict[str, str], *files: tuple[str, bytes]) -> tuple[bytes, str]:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
    ]
    for name, data in files:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"


def error_of(answer: Answer) -> dict[str, Any]:
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return dict(error)


async def begin(player: Player, **fields: str) -> Answer:
    body, content_type = form({"model": "film-1", "prompt": "waves", "seconds": "4", "size": "1280x720", **fields})
    return await ask(player, "POST", "/videos", body, content_type=content_type)


async def test_models_are_listed(player: Player) -> None:
    listed = (await ask(player, "GET", "/models")).json()

    assert {"gpt-image-1.5", "pixel-1", "film-1"} <= {one["id"] for one in listed["data"]}
    assert (await ask(player, "GET", "/models/film-1")).json()["id"] == "film-1"
    assert error_of(await ask(player, "GET", "/models/nothing"))["code"] == "model_not_found"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"}])
async def test_key_that_opens_nothing_is_refused(player: Player, headers: dict[str, str]) -> None:
    answer = await player.send("GET", BASE + "/models", headers=headers)

    assert (answer.status, error_of(answer)["code"]) == (401, "invalid_api_key" if headers else None)


async def test_access_token_of_flow_is_no_key(player: Player) -> None:
    answer = await player.send("GET", BASE + "/models", headers={"authorization": f"Bearer {player.bearer}"})

    assert answer.status == 401


async def test_key_that_was_revoked_is_refused(player: Player) -> None:
    player.account.knobs.revoked = "unauthorized"

    assert (await ask(player, "GET", "/models")).status == 401


async def test_pictures_come_inline_or_as_links(player: Player) -> None:
    inline = await ask(player, "POST", "/images/generations", {"model": "gpt-image-1.5", "prompt": "a mug", "n": 2})
    linked = await ask(player, "POST", "/images/generations", {"model": "pixel-1", "prompt": "a mug"})

    pictures = [base64.b64decode(one["b64_json"]) for one in inline.json()["data"]]
    assert len({*pictures}) == 2
    assert all(picture.startswith(b"\xff\xd8") for picture in pictures)
    (entry,) = linked.json()["data"]
    assert "/ai-sandbox-videofx/image/" in entry["url"]


async def test_pictures_are_paid_for(player: Player) -> None:
    before = player.account.knobs.credits

    await ask(player, "POST", "/images/generations", {"model": "gpt-image-1.5", "prompt": "a mug", "n": 2})

    assert player.account.knobs.credits == before - 68
    player.account.knobs.credits = 1
    refused = await ask(player, "POST", "/images/generations", {"model": "gpt-image-1.5", "prompt": "a mug"})
    assert (refused.status, error_of(refused)["code"]) == (429, "insufficient_quota")


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"prompt": ""}, "invalid_value", "prompt"),
        ({"prompt": "something unsafe"}, "moderation_blocked", None),
        ({"prompt": "something filtered"}, "content_policy_violation", None),
        ({"model": "film-1"}, "invalid_value", "model"),
        ({"model": None}, "model_not_found", "model"),
        ({"n": 11}, "invalid_value", "n"),
        ({"size": "large"}, "invalid_value", "size"),
        ({"response_format": "url"}, "unknown_parameter", "response_format"),
    ],
)
async def test_wrong_request_is_refused_with_its_field(
    player: Player, change: dict[str, Any], code: str, param: str | None
) -> None:
    before = player.account.knobs.credits

    answer = await ask(player, "POST", "/images/generations", {"model": "gpt-image-1.5", "prompt": "a mug", **change})

    assert answer.status in (400, 404)
    assert (error_of(answer)["code"], error_of(answer)["param"]) == (code, param)
    assert player.account.knobs.credits == before


async def test_edit_takes_pictures_from_a_form_and_the_record_shows_them(player: Player) -> None:
    body, content_type = form(
        {"model": "gpt-image-1.5", "prompt": "at night"}, ("image[]", SMALL_JPEG), ("image[]", SMALL_JPEG)
    )

    answer = await ask(player, "POST", "/images/edits", body, content_type=content_type)

    assert answer.status == 200
    (recorded,) = json.loads((await player.control("GET", "/requests?call=openai_edit")).body)
    assert (recorded["body"]["prompt"], [one["size"] for one in recorded["body"]["_files"]]) == (
        "at night",
        [len(SMALL_JPEG)] * 2,
    )


@pytest.mark.parametrize("files", [(), (("image", b"no picture"),), (("image", SMALL_JPEG), ("image", SMALL_JPEG))])
async def test_edit_without_proper_pictures_is_refused(player: Player, files: tuple[tuple[str, bytes], ...]) -> None:
    body, content_type = form({"model": "gpt-image-1.5", "prompt": "at night"}, *files)

    assert (await ask(player, "POST", "/images/edits", body, content_type=content_type)).status == 400


async def test_video_goes_from_queued_to_completed(player: Player) -> None:
    begun = (await begin(player)).json()
    assert begun["status"] == "queued"
    early = await ask(player, "GET", f"/videos/{begun['id']}/content")
    assert (early.status, error_of(early)["code"]) == (404, "not_ready")
    player.world.clock.advance(player.world.options.video_s / 2)
    running = await ask(player, "GET", f"/videos/{begun['id']}")
    assert (running.json()["status"], running.json()["progress"]) == ("in_progress", 50)
    assert running.headers["openai-poll-after-ms"] == "1000"

    player.world.clock.advance(player.world.options.video_s)
    done = (await ask(player, "GET", f"/videos/{begun['id']}")).json()

    assert (done["status"], done["progress"], done["seconds"], done["size"]) == ("completed", 100, "4", "1280x720")
    content = await ask(player, "GET", f"/videos/{begun['id']}/content")
    assert (content.headers["content-type"], content.body[4:8]) == ("video/mp4", b"ftyp")
    thumbnail = await ask(player, "GET", f"/videos/{begun['id']}/content?variant=thumbnail")
    assert thumbnail.headers["content-type"] == "image/jpeg"


async def test_video_that_fails_late_gives_its_price_back(player: Player) -> None:
    before = player.account.knobs.credits
    begun = (await begin(player, prompt="a latefail cat")).json()
    assert player.account.knobs.credits == before - 20
    player.world.clock.advance(player.world.options.video_s)

    failed = (await ask(player, "GET", f"/videos/{begun['id']}")).json()

    assert (failed["status"], failed["error"]["code"]) == ("failed", "moderation_blocked")
    assert player.account.knobs.credits == before


async def test_video_belongs_to_its_account(player: Player) -> None:
    begun = (await begin(player)).json()
    player.account = player.add()

    assert (await ask(player, "GET", f"/videos/{begun['id']}")).status == 404


async def test_crowded_account_is_asked_to_wait(player: Player) -> None:
    player.account.knobs.max_parallel_jobs = 1
    before = player.account.knobs.credits
    await begin(player)

    answer = await begin(player)

    assert (answer.status, error_of(answer)["code"], answer.headers["retry-after"]) == (429, "rate_limit_exceeded", "7")
    assert player.account.knobs.credits == before - 20


async def test_fault_speaks_the_words_of_this_api(player: Player) -> None:
    fault = {
        "kind": "error", "call": "openai_models", "status": 502, "reason": "upstream_timeout", "should_retry": False,
        "param": "x", "retry_after_s": 3,
    }  # fmt: skip
    await player.control("POST", "/faults", fault)

    answer = await ask(player, "GET", "/models")

    assert (answer.status, answer.headers["x-should-retry"], answer.headers["retry-after"]) == (502, "false", "3")
    assert (error_of(answer)["code"], error_of(answer)["param"]) == ("upstream_timeout", "x")


async def test_record_keeps_what_tells_requests_apart(player: Player) -> None:
    await ask(player, "GET", "/models", idempotency_key="k1", x_flow2api_via="a, b")

    (recorded,) = json.loads((await player.control("GET", "/requests?call=openai_models")).body)
    assert (recorded["idempotency_key"], recorded["via"], recorded["account"]) == ("k1", "a, b", player.account.id)


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/videos/x"), ("POST", "/models")])
async def test_call_that_there_is_not_is_not_found(player: Player, method: str, path: str) -> None:
    assert (await ask(player, method, path)).status == 404
