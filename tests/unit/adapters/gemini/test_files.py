from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from flow2api.adapters.gemini.caller import Caller, TimeLimits
from flow2api.adapters.gemini.files import FileSource, product_of
from flow2api.domain.account import Tier
from flow2api.domain.errors import (
    CredentialRevokedError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
)
from flow2api.domain.generation import Product
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer, Call
from flow2api.testing.fakes.clock import FakeClock

ACCESS = Access(
    account_id=1,
    session_token=None,
    access_token=Secret("the-key"),
    tier=Tier.FREE,
    proxy=Secret("http://main"),
    media_proxy=Secret("http://media"),
)
BASE = "https://api.example.com"
FILE = f"{BASE}/v1beta/files/abc:download?alt=media"
KEY = b"x-goog-api-key: the-key"


class ScriptedMedia:
    """Answers by address: a status with a location or a body."""

    def __init__(self, **answers: tuple[int, str, bytes]) -> None:
        self.answers: dict[str, tuple[int, str, bytes]] = {}
        self.seen: list[tuple[str, bool, str]] = []

    def on(self, address: str, status: int = 200, location: str = "", body: bytes = b"video") -> "ScriptedMedia":
        self.answers[address] = (status, location, body)
        return self

    async def request(self, call: Call, proxy: Secret | None) -> Answer:
        raise AssertionError("nothing is asked for whole")

    @asynccontextmanager
    async def stream(self, call: Call, proxy: Secret | None) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        self.seen.append((call.url, KEY in call.headers, "" if proxy is None else proxy.reveal()))
        status, location, body = self.answers[call.url]

        async def chunks() -> AsyncIterator[bytes]:
            if body:
                yield body

        yield Answer(status, [f"Location: {location}".encode()] if location else [], b""), chunks()


def source(media: ScriptedMedia, base: str = BASE) -> FileSource:
    return FileSource(Caller(media, FakeClock(), base_url=base, version="v1beta", limits=TimeLimits()))


async def fetched(files: FileSource, product: Product) -> bytes:
    return b"".join([chunk async for chunk in files.fetch(ACCESS, product)])


@pytest.mark.parametrize(
    "product",
    [
        product_of(FILE),
        product_of("https://generativelanguage.googleapis.com/v1/files/abc"),
        product_of(f"{BASE}/v1alpha/files/abc"),
        Product("files/abc"),
        Product("whatever", "files/abc"),
    ],
)
async def test_file_is_asked_for_at_the_base_with_the_key(product: Product) -> None:
    media = ScriptedMedia().on(FILE)

    assert await fetched(source(media), product) == b"video"
    assert media.seen == [(FILE, True, "http://main")]


@pytest.mark.parametrize(
    ("status", "word", "expected"),
    [
        (400, "FAILED_PRECONDITION", UpstreamNotFoundError),
        (400, "INVALID_ARGUMENT", UpstreamNotFoundError),
        (403, "PERMISSION_DENIED", UpstreamNotFoundError),
        (503, "UNAVAILABLE", UpstreamOverloadedError),
    ],
)
async def test_file_that_is_not_ready_is_not_there_yet_and_blames_nobody(
    status: int, word: str, expected: type[Exception]
) -> None:
    told = msgspec.json.encode({"error": {"code": status, "message": "Not in an ACTIVE state.", "status": word}})
    media = ScriptedMedia().on(FILE, status, body=told)

    with pytest.raises(expected):
        await fetched(source(media), product_of(FILE))


async def test_dead_key_is_told_by_a_download_too() -> None:
    told = b'{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}'

    with pytest.raises(CredentialRevokedError):
        await fetched(source(ScriptedMedia().on(FILE, 400, body=told)), product_of(FILE))


async def test_folder_that_is_called_like_the_files_is_none_of_them() -> None:
    bucket = "https://storage.googleapis.com/bucket/files/abc.mp4?sig=1"
    media = ScriptedMedia().on(bucket)
    product = product_of(bucket)

    assert (product.name, await fetched(source(media), product)) == (bucket, b"video")
    assert media.seen == [(bucket, False, "http://media")]


async def test_key_is_dropped_when_a_redirect_leaves_the_host() -> None:
    bucket = "https://storage.googleapis.com/bucket/abc?sig=1"
    media = ScriptedMedia().on(FILE, 302, bucket).on(bucket)

    assert await fetched(source(media), Product("files/abc")) == b"video"
    assert media.seen == [(FILE, True, "http://main"), (bucket, False, "http://media")]


async def test_key_goes_along_when_a_redirect_stays_on_the_host() -> None:
    there = f"{BASE}/download/abc"
    media = ScriptedMedia().on(FILE, 307, "/download/abc").on(there)

    assert await fetched(source(media), Product("files/abc")) == b"video"
    assert media.seen[1] == (there, True, "http://main")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x",
        "https://googleapis.com.evil.example/x",
        "http://storage.googleapis.com/x",
        "https://storage.googleapis.com@evil.example/x",
        "http://127.0.0.1/x",
        "https://api.example.com:8443/x",
        "ftp://storage.googleapis.com/x",
    ],
)
async def test_redirect_to_a_foreign_host_is_not_followed(address: str) -> None:
    media = ScriptedMedia().on(FILE, 302, address)

    with pytest.raises(UpstreamInvalidError):
        await fetched(source(media), Product("files/abc"))
    assert len(media.seen) == 1


async def test_address_on_a_foreign_host_is_not_asked() -> None:
    media = ScriptedMedia()

    with pytest.raises(UpstreamInvalidError):
        await fetched(source(media), product_of("https://evil.example/video.mp4"))
    assert media.seen == []


async def test_address_of_googles_is_asked_without_the_key() -> None:
    address = "https://video.googleusercontent.com/abc"
    media = ScriptedMedia().on(address)

    assert await fetched(source(media), product_of(address)) == b"video"
    assert media.seen == [(address, False, "http://media")]


async def test_base_on_this_machine_may_lead_to_this_machine() -> None:
    base = "http://127.0.0.1:8899/gemini"
    media = ScriptedMedia().on(f"{base}/v1beta/files/abc:download?alt=media", 302, "http://localhost:8899/x")
    media.on("http://localhost:8899/x")

    assert await fetched(source(media, base), Product("files/abc")) == b"video"
    assert [with_key for _, with_key, _ in media.seen] == [True, False]


async def test_redirects_come_to_an_end() -> None:
    media = ScriptedMedia().on(FILE, 302, FILE)

    with pytest.raises(UpstreamInvalidError):
        await fetched(source(media), Product("files/abc"))
    assert len(media.seen) == 4


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b"", UpstreamNotFoundError),
        (410, b"", UpstreamNotFoundError),
        (401, b"", CredentialRevokedError),
        (200, b"", UpstreamInvalidError),
    ],
)
async def test_what_is_no_video_is_an_error(status: int, body: bytes, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        await fetched(source(ScriptedMedia().on(FILE, status, body=body)), Product("files/abc"))


async def test_product_that_nothing_is_kept_of_is_not_found() -> None:
    with pytest.raises(UpstreamNotFoundError):
        await fetched(source(ScriptedMedia()), Product(""))
