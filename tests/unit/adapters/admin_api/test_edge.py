"""Bodies that arrive too slowly are given up, and the answer says so."""

import asyncio
from typing import Any

import pytest
from litestar.exceptions import HTTPException

from flow2api.adapters.admin_api.edge import LEAST_BYTES_PER_S, edge


def scope(*headers: tuple[bytes, bytes]) -> Any:
    return {"type": "http", "headers": list(headers), "state": {}, "path": "/api/login", "method": "POST"}


async def through(receive: Any, asked: Any, read_timeout_s: float = 0.05) -> list[Any]:
    """What an application behind the edge receives until the body is whole."""
    got: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while not got or got[-1].get("more_body"):
            got.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public")]})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await edge(lambda scope: "req_1", read_timeout_s=read_timeout_s)(app)(asked, receive, send)
    return sent


async def test_body_that_drips_is_given_up_as_a_whole() -> None:
    async def drip() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(HTTPException) as error:
        await through(drip, scope())
    assert error.value.status_code == 408


async def test_body_that_keeps_its_pace_may_take_long_and_its_reader_longer() -> None:
    left = 20

    async def steady() -> Any:
        nonlocal left
        left -= 1
        await asyncio.sleep(0.01)  # within the pace, and 0.2 s in all
        return {"type": "http.request", "body": b"x" * LEAST_BYTES_PER_S, "more_body": bool(left)}

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            await asyncio.sleep(0.01)  # what is done with a part is not the sender's time

    async def send(message: Any) -> None:
        raise AssertionError(message)

    await edge(lambda scope: "req_1", read_timeout_s=0.1)(reading)(scope(), steady, send)
    assert left == 0


async def test_compressed_body_is_not_even_received() -> None:
    async def never() -> Any:
        raise AssertionError

    with pytest.raises(HTTPException) as error:
        await through(never, scope((b"content-encoding", b"zstd"), (b"transfer-encoding", b"chunked")))
    assert error.value.status_code == 415


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ([(b"content-type", b"application/json; charset=utf-8")], True),
        ([(b"content-type", b"Application/JSON"), (b"origin", b"https://a.example")], True),
        ([], True),
        ([(b"content-type", b"text/plain;charset=UTF-8")], False),
        ([(b"content-type", b"application/x-www-form-urlencoded")], False),
        ([(b"origin", b"https://evil.example")], False),
    ],
)
async def test_body_that_a_page_of_another_origin_could_send_is_not_received(
    headers: list[tuple[bytes, bytes]], is_taken: bool
) -> None:
    async def whole() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    if is_taken:
        await through(whole, scope(*headers, (b"content-length", b"2")))
        return
    with pytest.raises(HTTPException) as error:
        await through(whole, scope(*headers, (b"content-length", b"2")))
    assert error.value.status_code == 415


async def test_request_without_a_body_may_say_what_it_likes() -> None:
    async def none() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    assert await through(none, scope((b"origin", b"https://evil.example"), (b"content-encoding", b"gzip")))


async def test_answer_is_private_whatever_the_handler_said() -> None:
    async def whole() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    (start,) = await through(whole, scope())
    headers = dict(start["headers"])

    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"x-request-id"] == b"req_1"
    assert [name for name, _ in start["headers"]].count(b"cache-control") == 1
