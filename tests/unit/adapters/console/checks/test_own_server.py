"""Requests that are handed to an application as a server would."""

import asyncio
from typing import Any

import pytest

from flow2api.adapters.console.checks import own_server
from flow2api.adapters.console.checks.own_server import ClientRequest, ask, form_request, json_request


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 201, "headers": [(b"x-target", scope["raw_path"])]})
    await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body", "body": scope["query_string"]})
    assert (await receive())["type"] == "http.disconnect"


async def test_request_arrives_and_the_client_stays_until_it_is_answered() -> None:
    request = json_request("/v1/x?a=1", {"prompt": "ü"}, "agent")

    answer = await asyncio.wait_for(ask(echo, "https://flow.example.org:8443", "f2a_x", request), 20)

    assert (answer.status, answer.headers["x-target"]) == (201, "/v1/x")
    assert answer.body == '{"prompt": "ü"}a=1'.encode()
    assert answer.json is None


async def test_scope_says_how_the_client_reaches_the_server() -> None:
    scopes = list[Any]()

    async def keep(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    form = form_request("/v1/videos", {"model": "m"}, "n8n", (("image[]", b"PNG"),))
    answer = await ask(keep, "https://flow.example.org", "f2a_x", form)

    (scope,) = scopes
    headers = dict(scope["headers"])
    assert headers[b"host"] == b"flow.example.org"
    assert headers[b"authorization"] == b"Bearer f2a_x"
    assert headers[b"content-type"].startswith(b"multipart/form-data; boundary=")
    assert (scope["scheme"], scope["server"]) == ("https", ("flow.example.org", 443))
    assert b'name="image[]"; filename="picture-0.png"' in form.body
    assert answer.json == {}


async def test_answer_that_grows_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_server, "_MOST_BYTES", 10)

    async def pour(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"12345678", "more_body": True})

    with pytest.raises(ValueError, match="too large"):
        await ask(pour, "http://h", "k", ClientRequest(method="GET", target="/"))
