"""Which header a key is taken from, and that nothing else of a request is looked at before."""

from collections.abc import AsyncIterator

import pytest

from flow2api.adapters.openai_api.auth import presented_key
from tests.fakes.use_cases import KEY, FakeDoors
from tests.unit.adapters.openai_api.conftest import Client


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([(b"authorization", b"Bearer abc")], "abc"),
        ([(b"authorization", b"bearer  abc ")], "abc"),
        ([(b"x-api-key", b"abc")], "abc"),
        ([(b"api-key", b"abc")], "abc"),
        ([(b"api-key", b"b"), (b"x-api-key", b"a")], "a"),
        ([(b"x-api-key", b"a"), (b"authorization", b"Bearer c")], "c"),
        ([(b"authorization", b"Bearer "), (b"x-api-key", b"a")], "a"),
        ([(b"authorization", b"Basic abc")], None),
        ([(b"authorization", b"abc")], None),
        ([(b"authorization", b"Bearer")], None),
        ([(b"authorization", b"Bearer   ")], None),
        ([(b"cookie", b"key=abc")], None),
        ([], None),
        ([(b"authorization", b"Bearer \xff\xfe")], "\xff\xfe"),
    ],
)
def test_takes_the_key_from_the_known_headers(headers: list[tuple[bytes, bytes]], key: str | None) -> None:
    assert presented_key(headers) == key


def test_an_endless_key_is_cut() -> None:
    assert len(presented_key([(b"authorization", b"Bearer " + b"x" * 10_000)]) or "") == 512


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("GET", "/v1/models/sora-2"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/images/generations"),
        ("POST", "/v1/images/edits"),
        ("POST", "/v1/videos"),
        ("GET", "/v1/videos"),
        ("GET", "/v1/videos/video_1"),
        ("HEAD", "/v1/videos/video_1"),
        ("DELETE", "/v1/videos/video_1"),
        ("GET", "/v1/videos/video_1/content"),
        ("HEAD", "/v1/videos/video_1/content"),
        ("POST", "/v1/videos/video_1/remix"),
        ("POST", "/v1/videos/edits"),
        ("POST", "/v1/videos/extensions"),
        ("GET", "/models"),
        ("GET", "/openai/v1/models"),
    ],
)
@pytest.mark.parametrize("key", [None, "f2a_wrong"])
async def test_every_route_wants_a_key(
    client: Client, fakes: FakeDoors, method: str, path: str, key: str | None
) -> None:
    fakes.generations.plant_completed()
    client.headers["authorization"] = f"Bearer {key}" if key else ""
    answer = await client.request(method, f"{path}?key={KEY}&api_key={KEY}")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        error = answer.json()["error"]
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_api_key", None)
    assert fakes.generate.asked == []
    assert "video_1" in fakes.generations.rows


async def test_the_body_is_not_read_before_the_key_is_known(client: Client) -> None:
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"{}"

    client.headers["authorization"] = "Bearer f2a_wrong"
    answer = await client.post("/v1/images/generations", content=body(), headers={"content-type": "text/plain"})
    # A body of the wrong type and an unreadable one make no difference: the key comes first.
    assert answer.status_code == 401


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "api-key"])
async def test_each_header_opens_the_door(client: Client, name: str) -> None:
    del client.headers["authorization"]
    value = f"Bearer {KEY}" if name == "authorization" else KEY
    assert (await client.get("/v1/models", headers={name: value})).status_code == 200


async def test_a_key_that_memory_does_not_know_is_looked_up(client: Client, fakes: FakeDoors) -> None:
    fakes.authorize.slow.add(KEY)
    assert (await client.get("/v1/models")).status_code == 200


async def test_the_work_is_done_in_the_name_of_the_key(client: Client, fakes: FakeDoors) -> None:
    await client.post("/v1/images/generations", json={"prompt": "a fox"})
    assert fakes.generate.asked[0][1].key_id == 1
