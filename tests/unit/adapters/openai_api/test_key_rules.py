"""What a key may do, at each door, in the words of OpenAI's envelope."""

from typing import Any

import pytest

from flow2api.adapters.openai_api.allowances import duration
from flow2api.domain.errors import KeyConcurrencyError, KeyDayLimitError, KeyLimitError
from flow2api.domain.key_rules import KeyRules, KeyScope
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.limit_requests import Allowance
from tests.fakes.use_cases import CATALOG, KEY, FakeDoors
from tests.unit.adapters.openai_api.conftest import Client, OpenClient

PICTURE = ("POST", "/v1/images/generations", {"prompt": "a hill"})
FILM = ("POST", "/v1/videos", {"prompt": "a hill", "model": "sora-2"})
CHAT = {"messages": [{"role": "user", "content": "a hill"}]}
CHAT_PICTURE = ("POST", "/v1/chat/completions", {"model": "gpt-image-1", **CHAT})
CHAT_FILM = ("POST", "/v1/chat/completions", {"model": "sora-2", **CHAT})
MODELS = ("GET", "/v1/models", None)

Call = tuple[str, str, dict[str, Any] | None]


def allow(fakes: FakeDoors, *scopes: KeyScope, models: tuple[str, ...] = ()) -> None:
    fakes.authorize.rules[KEY] = KeyRules(scopes=frozenset(scopes or KeyScope), models=models)


async def sent(client: Client, call: Call) -> Any:
    method, path, body = call
    return await client.request(method, path, json=body)


@pytest.mark.parametrize(
    ("scope", "opened", "closed"),
    [
        (KeyScope.IMAGES, [PICTURE, CHAT_PICTURE], [FILM, CHAT_FILM, MODELS, ("GET", "/v1/videos", None)]),
        (KeyScope.VIDEOS, [FILM, CHAT_FILM, ("GET", "/videos", None)], [PICTURE, CHAT_PICTURE, MODELS]),
        (
            KeyScope.MODELS,
            [MODELS, ("GET", "/openai/v1/models/sora-2", None)],
            [PICTURE, FILM, CHAT_PICTURE, CHAT_FILM],
        ),
    ],
)
async def test_scope_opens_its_part_and_no_other(
    client: Client, fakes: FakeDoors, scope: KeyScope, opened: list[Call], closed: list[Call]
) -> None:
    allow(fakes, scope)
    assert [(await sent(client, call)).status_code for call in opened] == [200] * len(opened)
    begun = len(fakes.generate.asked)

    for call in closed:
        answer = await sent(client, call)
        assert answer.status_code == 403, call
        error = answer.json()["error"]
        assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, "permission_denied")
        assert "lacks the scope" in error["message"]
    assert len(fakes.generate.asked) == begun


async def test_scope_is_checked_before_anything_of_the_body_is_read(client: Client, fakes: FakeDoors) -> None:
    allow(fakes, KeyScope.MODELS)
    answer = await client.post("/v1/images/edits", content=b"{no json", headers={"content-type": "application/json"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("models", "allowed", "refused"),
    [
        (("gpt-image-*",), "gpt-image-1", "gemini-3.0-pro-image"),
        (("gemini-3.0-pro-image",), "gemini-3.0-pro-image", "imagen-4.0-generate-preview"),
    ],
)
async def test_model_that_is_not_allowed_is_as_good_as_none(
    client: Client, fakes: FakeDoors, models: tuple[str, ...], allowed: str, refused: str
) -> None:
    allow(fakes, models=models)
    assert (
        await sent(client, ("POST", "/v1/images/generations", {"prompt": "x", "model": allowed}))
    ).status_code == 200
    assert (await client.get(f"/v1/models/{allowed}")).status_code == 200

    calls: list[Call] = [
        ("POST", "/v1/images/generations", {"prompt": "x", "model": refused}),
        ("POST", "/v1/chat/completions", {"model": f"{refused}:image", **CHAT}),
        ("GET", f"/v1/models/{refused}", None),
        FILM,
    ]
    for call in calls:
        answer = await sent(client, call)
        assert answer.status_code == 404, call
        assert answer.json()["error"]["code"] == "model_not_found"
        assert "this API key may not use it" in answer.json()["error"]["message"]


ONE = "gemini-3.0-pro-image-landscape"


@pytest.mark.parametrize(
    ("models", "model", "more", "served"),
    [
        ((ONE,), ONE, {}, ONE),
        ((ONE,), ONE, {"aspect_ratio": "9:16"}, None),
        ((ONE,), ONE, {"resolution": "4k"}, None),
        ((ONE,), ONE, {"quality": "high"}, ONE),
        ((ONE, "*-4k"), ONE, {"resolution": "4k"}, f"{ONE}-4k"),
        (("gemini-3.0-pro-image",), ONE, {"resolution": "4k"}, f"{ONE}-4k"),
        (("gemini-3.0-pro-image",), "gemini-3.0-pro-image", {"resolution": "4k"}, f"{ONE}-4k"),
    ],
)
async def test_parameters_lead_to_no_model_that_the_key_may_not_use(
    client: Client, fakes: FakeDoors, models: tuple[str, ...], model: str, more: dict[str, Any], served: str | None
) -> None:
    allow(fakes, models=models)
    answer = await sent(client, ("POST", "/v1/images/generations", {"prompt": "x", "model": model, **more}))
    chat = await sent(client, ("POST", "/v1/chat/completions", {"model": model, **CHAT, **more}))

    assert answer.status_code == (404 if served is None else 200)
    assert [request.spec.name for request, *_ in fakes.generate.asked[:1]] == ([] if served is None else [served])
    assert chat.status_code == answer.status_code


async def test_model_that_stands_in_when_none_is_named_has_to_be_allowed_too(client: Client, fakes: FakeDoors) -> None:
    allow(fakes, models=("veo*",))
    assert (await sent(client, PICTURE)).status_code == 404


async def test_list_has_only_what_the_key_may_use(client: Client, fakes: FakeDoors) -> None:
    async def listed() -> list[str]:
        return [one["id"] for one in (await client.get("/v1/models")).json()["data"]]

    everything = await listed()
    allow(fakes, KeyScope.IMAGES, KeyScope.MODELS)
    pictures = await listed()
    allow(fakes, models=("gpt-image-1", "gemini-3.0-pro-image"))
    chosen = await listed()
    allow(fakes, KeyScope.MODELS)

    kinds = {one.id: one.kind for one in CATALOG.listed()}
    assert pictures == [name for name in everything if kinds[name] is MediaKind.IMAGE]
    assert chosen[0] == "gemini-3.0-pro-image"
    assert {"gpt-image-1"} < set(chosen)
    assert not any(kinds.get(name) is MediaKind.VIDEO for name in chosen)
    assert await listed() == everything


async def test_model_of_a_kind_that_the_key_cannot_make_is_not_shown(client: Client, fakes: FakeDoors) -> None:
    allow(fakes, KeyScope.IMAGES, KeyScope.MODELS)
    assert (await client.get("/v1/models/sora-2")).status_code == 404


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (
            KeyLimitError(30, 12.2),
            {"retry-after": "13", "limit": "30", "remaining": "0", "reset": "13s"},
        ),
        (
            KeyDayLimitError(100, 3725),
            {"retry-after": "3725", "x-should-retry": "false", "limit": "100", "remaining": "0", "reset": "1h2m5s"},
        ),
        (KeyConcurrencyError(2), {"retry-after": "10"}),
    ],
    ids=["minute", "day", "at once"],
)
async def test_limit_is_told_in_the_headers_that_clients_read(
    client: Client, fakes: FakeDoors, error: KeyLimitError, headers: dict[str, str]
) -> None:
    fakes.generate.refuses = error
    answer = await sent(client, PICTURE)

    named = {name: f"x-ratelimit-{name}-requests" for name in ("limit", "remaining", "reset")}
    shown = {*named.values(), "retry-after", "x-should-retry"}
    assert answer.status_code == 429
    assert {one: answer.headers[one] for one in shown if one in answer.headers} == {
        named.get(name, name): value for name, value in headers.items()
    }
    assert (answer.json()["error"]["type"], answer.json()["error"]["code"]) == (
        "rate_limit_error",
        "rate_limit_exceeded",
    )
    assert "x-ratelimit-reset-requests" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("call", [PICTURE, FILM, CHAT_PICTURE])
async def test_good_answer_tells_what_is_left(open_client: OpenClient, call: Call) -> None:
    limited = await open_client(allowance=lambda caller: Allowance(30, 29, 60) if caller.key_id == 1 else None)
    answer = await sent(limited, call)

    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit-requests"] == "30"
    assert answer.headers["x-ratelimit-remaining-requests"] == "29"
    assert answer.headers["x-ratelimit-reset-requests"] == "1m0s"


async def test_nothing_is_told_where_there_is_no_limit(client: Client) -> None:
    assert not any(name.startswith("x-ratelimit") for name in (await sent(client, PICTURE)).headers)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0, "0s"), (0.2, "1s"), (60, "1m0s"), (359.5, "6m0s"), (3600, "1h0m0s"), (86_400, "24h0m0s")],
)
def test_spans_are_written_as_the_headers_write_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
