"""Bodies: what is read, what is refused while it arrives, and what a repeated one has in common."""

import asyncio
import json
from typing import Any

import pytest

from flow2api.adapters.openai_api import Limits
from flow2api.testing.fakes.media import fake_picture
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.conftest import Client, OpenClient
from tests.unit.adapters.openai_api.listener import Listener

PATH = "/v1/images/generations"


async def send(client: Client, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
    return await client.post(PATH, content=body, headers={"content-type": content_type, **headers})


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"]
)
async def test_reads_json(client: Client, content_type: str) -> None:
    assert (await send(client, b'{"prompt":"a fox"}', content_type)).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data",
     "application/json; charset=utf-16", "image/png", "json"],
)  # fmt: skip
async def test_other_types_are_refused(client: Client, content_type: str) -> None:
    answer = await send(client, b'{"prompt":"a fox"}', content_type)
    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_media_type"


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "gzip, identity"])
async def test_compressed_bodies_are_refused(client: Client, encoding: str) -> None:
    answer = await send(client, b'{"prompt":"a fox"}', **{"content-encoding": encoding})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"prompt":',
        b"[]",
        b'"text"',
        b"null",
        b'{"prompt":"\xff"}',
        b'{"prompt":"\\ud800"}',
        b'{"prompt":NaN}',
        b'{"prompt":1e999}',
        b"\xef\xbb\xbf{}",
        b'{"prompt":"x","a":' + b"[" * 33 + b"]" * 33 + b"}",
        b'{"prompt":"x","a":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
        b"[" * 20_000 + b"]" * 20_000,
        b'{"prompt":"x","a":[' + b"1," * 300_000 + b"1]}",
    ],
    ids=lambda body: str(body[:24]),
)
async def test_malformed_json_is_refused(client: Client, body: bytes) -> None:
    answer = await send(client, body)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_json")


@pytest.mark.parametrize("text", ["\\ud800", "a\\uDBFFx", "\\udc00\\ud800", "\\\\\\ud83d\\u0041"])
async def test_half_of_a_surrogate_pair_is_named(client: Client, text: str) -> None:
    answer = await send(client, b'{"prompt":"\\ud83d\\ude00 ' + text.encode() + b'"}')
    assert "half of a surrogate pair" in answer.json()["error"]["message"]


async def test_escaped_backslash_before_a_u_is_no_surrogate(client: Client) -> None:
    answer = await send(client, b'{"prompt":"\\\\ud800"')
    assert "surrogate" not in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": 5}, "expected string, but got integer instead"),
        ({"prompt": "x", "model": 1.5}, "expected string, but got number instead"),
        ({"prompt": "x", "stream": "true"}, "expected boolean, but got string instead"),
        ({"prompt": "x", "output_compression": True}, "expected integer, but got boolean instead"),
        ({"prompt": ["a"]}, "expected string, but got array instead"),
    ],
)
async def test_types_are_called_as_in_json(client: Client, fields: dict[str, Any], words: str) -> None:
    answer = await client.post(PATH, json=fields)
    assert words in answer.json()["error"]["message"]


async def test_json_as_deep_as_is_allowed(client: Client) -> None:
    assert (await send(client, b'{"prompt":"x","a":' + b"[" * 30 + b"]" * 30 + b"}")).status_code == 200


async def test_the_last_of_repeated_keys_counts(client: Client, fakes: FakeDoors) -> None:
    await send(client, b'{"prompt":"one","prompt":"two"}')
    assert fakes.generate.request.prompt == "two"


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({}, "missing_required_parameter", "prompt"),
        ({"prompt": 5}, "invalid_type", "prompt"),
        ({"prompt": None}, "invalid_type", "prompt"),
        ({"prompt": ["a"]}, "invalid_type", "prompt"),
        ({"prompt": "  "}, "invalid_prompt", "prompt"),
        ({"prompt": "x" * 32_001}, "invalid_prompt", "prompt"),
        ({"prompt": "x", "model": 5}, "invalid_type", "model"),
        ({"prompt": "x", "n": "3"}, "invalid_type", "n"),
        ({"prompt": "x", "n": 0}, None, "n"),
        ({"prompt": "x", "n": 11}, None, "n"),
        ({"prompt": "x", "n": 1.5}, "invalid_type", "n"),
        ({"prompt": "x", "n": True}, "invalid_type", "n"),
        ({"prompt": "x", "size": 512}, None, "size"),
        ({"prompt": "x", "size": "63x64"}, None, "size"),
        ({"prompt": "x", "size": "8193x64"}, None, "size"),
        ({"prompt": "x", "size": "axb"}, None, "size"),
        ({"prompt": "x", "stream": "true"}, "invalid_type", "stream"),
        ({"prompt": "x", "stream": 1}, "invalid_type", "stream"),
        ({"prompt": "x", "response_format": "png"}, "invalid_value", "response_format"),
        ({"prompt": "x", "response_format": 1}, "invalid_type", "response_format"),
        ({"prompt": "x", "output_format": "gif"}, "invalid_value", "output_format"),
        ({"prompt": "x", "output_compression": 101}, "invalid_value", "output_compression"),
        ({"prompt": "x", "output_compression": -1}, "invalid_value", "output_compression"),
        ({"prompt": "x", "partial_images": 4}, "invalid_value", "partial_images"),
        ({"prompt": "x", "background": "blue"}, "invalid_value", "background"),
        ({"prompt": "x", "model": "sora-2"}, None, "model"),
        ({"prompt": "x", "image": "http://x/y.png"}, "invalid_image_url", "image"),
        ({"prompt": "x", "image": "data:image/png;base64,%%%"}, "invalid_base64_image", "image"),
        ({"prompt": "x", "image": 5}, "invalid_image", "image"),
        ({"prompt": "x", "images": [{"image_url": 5}]}, "invalid_image", "images[0].image_url"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
async def test_bad_fields_are_refused_by_name(
    client: Client, fakes: FakeDoors, fields: dict[str, Any], code: str | None, param: str
) -> None:
    answer = await client.post(PATH, json=fields)

    error = answer.json()["error"]
    assert answer.status_code == 400, answer.text
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert code is None or error["code"] == code
    assert len(answer.content) < 1000
    assert fakes.generate.asked == []


class TestSize:
    async def test_an_announced_body_over_the_limit_is_refused_at_once(self, open_client: OpenClient) -> None:
        client = await open_client(limits=Limits(picture_body_bytes=1000))
        answer = await client.post(PATH, json={"prompt": "x" * 2000})

        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "body_too_large"
        assert answer.headers["connection"] == "close"

    async def test_routes_without_pictures_take_less(self, open_client: OpenClient, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        client = await open_client(limits=Limits(json_bytes=1000))
        assert (await client.post("/v1/videos/video_1/remix", json={"prompt": "x" * 2000})).status_code == 413
        assert (await client.post(PATH, json={"prompt": "x" * 2000})).status_code == 200

    async def test_an_endless_body_is_refused_when_it_passes_the_limit(self, fakes: FakeDoors) -> None:
        listener = Listener(fakes.doors(limits=Limits(picture_body_bytes=100_000)))
        async with listener.requesting("POST", PATH, [(b"content-type", b"application/json")]):
            for _ in range(11):
                listener.feed(b"[" * 10_000, more=True)
            await listener.frames(1)
            assert listener.status == 413
            assert sum(message["type"] == "http.response.start" for message in listener.sent) == 1
            assert listener.sent[-1]["more_body"] is True
        assert listener.sent[-1]["more_body"] is False

    @pytest.mark.parametrize("length", ["-5", "x", "1e9", "", "99999999999999999999999"])
    async def test_strange_announcements_do_no_harm(self, client: Client, length: str) -> None:
        answer = await client.post(
            PATH, content=b'{"prompt":"x"}', headers={"content-type": "application/json", "content-length": length}
        )
        assert answer.status_code in (200, 400, 413)


class TestSlowness:
    async def test_a_body_that_stands_still_is_given_up(self, fakes: FakeDoors) -> None:
        listener = Listener(fakes.doors(limits=Limits(read_timeout_s=0.02)))
        async with listener.requesting("POST", PATH, [(b"content-type", b"application/json")]):
            listener.feed(b'{"prompt":', more=True)
            await listener.frames(1)
        assert listener.status == 408

    async def test_a_body_that_drips_is_given_up(self, fakes: FakeDoors) -> None:
        limits = Limits(read_timeout_s=0.05, read_bytes_per_s=1_000_000)
        listener = Listener(fakes.doors(limits=limits))
        async with listener.requesting("POST", PATH, [(b"content-type", b"application/json")]):
            for _ in range(100):
                listener.feed(b" ", more=True)
                await asyncio.sleep(0.002)
                if listener.sent:
                    break
            await listener.frames(1)
        assert listener.status == 408
        assert (b"connection", b"close") in listener.sent[0]["headers"]

    async def test_a_client_that_leaves_in_the_middle_does_no_harm(self, fakes: FakeDoors) -> None:
        listener = Listener(fakes.doors())
        async with listener.requesting("POST", PATH, [(b"content-type", b"application/json")]):
            listener.feed(b'{"prompt":', more=True)
        assert fakes.generate.asked == []


class TestRepeats:
    async def digests(self, client: Client, fakes: FakeDoors, *requests: Any) -> list[bytes]:
        for request in requests:
            answer = await client.request("POST", **request)
            assert answer.status_code == 200, answer.text
        return [one.body_digest for _, _, one in fakes.generate.asked if one is not None]

    async def test_the_same_form_is_the_same_whatever_its_boundary(self, client: Client, fakes: FakeDoors) -> None:
        def form(boundary: str, prompt: str) -> Any:
            files = {"image": ("a.png", fake_picture(), "image/png")}
            headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
            return {"url": "/v1/images/edits", "data": {"prompt": prompt}, "files": files, "headers": headers}

        one, same, other = await self.digests(
            client, fakes, form("aaa", "a fox"), form("bbb", "a fox"), form("aaa", "a dog")
        )
        assert one == same
        assert one != other

    async def test_the_same_body_elsewhere_is_another_request(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed("video_1")
        fakes.generations.plant_completed("video_2")
        one, other = await self.digests(
            client,
            fakes,
            *({"url": f"/v1/videos/video_{number}/remix", "json": {"prompt": "x"}} for number in (1, 2)),
        )
        assert one != other

    @pytest.mark.parametrize(("count", "is_retry"), [("0", False), ("1", True), ("2", True), ("x", False), ("", False)])
    async def test_an_sdks_repeat_is_recognised(
        self, client: Client, fakes: FakeDoors, count: str, is_retry: bool
    ) -> None:
        await client.post(PATH, json={"prompt": "x"}, headers={"x-stainless-retry-count": count})
        told = fakes.generate.asked[0][2]
        assert told is not None
        assert (told.key, told.is_retry) == (None, is_retry)

    async def test_a_key_is_handed_on(self, client: Client, fakes: FakeDoors) -> None:
        await client.post(PATH, json={"prompt": "x"}, headers={"idempotency-key": "one two"})
        told = fakes.generate.asked[0][2]
        assert told is not None
        assert told.key == "one two"

    @pytest.mark.parametrize("key", ["", "x" * 256, "ä"])
    async def test_a_bad_key_is_refused(self, client: Client, key: str) -> None:
        answer = await client.post(PATH, json={"prompt": "x"}, headers=[(b"idempotency-key", key.encode())])
        assert answer.status_code == 400
