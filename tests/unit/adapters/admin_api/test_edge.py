"""What may come here as a body, and what every answer says."""

from typing import Any

import pytest
from litestar.exceptions import HTTPException

from flow2api.adapters.admin_api.edge import edge


def scope(*headers: tuple[bytes, bytes]) -> Any:
    return {"type": "http", "headers": list(headers), "state": {}, "path": "/api/login", "method": "POST"}


async def through(receive: Any, asked: Any, in_time: Any = lambda receive: receive) -> list[Any]:
    """What an application behind the edge receives until the body is whole."""
    got: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while not got or got[-1].get("more_body"):
            got.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public")]})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await edge(lambda scope: "req_1", in_time, lambda scope: [(b"x-tls", b"said")])(app)(asked, receive, send)
    return sent


async def test_body_that_arrives_too_slowly_is_given_up() -> None:
    async def never() -> Any:
        raise AssertionError

    def given_up(receive: Any) -> Any:
        async def too_slow() -> Any:
            raise HTTPException(status_code=408)

        return too_slow

    with pytest.raises(HTTPException) as error:
        await through(never, scope(), in_time=given_up)
    assert error.value.status_code == 408


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
    assert headers[b"x-tls"] == b"said"
    assert [name for name, _ in start["headers"]].count(b"cache-control") == 1
