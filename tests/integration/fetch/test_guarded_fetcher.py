"""Fetching over real TLS from a server on the loopback, which only these tests allow."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from flow2api.adapters.fetch import GuardedFetcher
from flow2api.adapters.fetch.addresses import Address
from flow2api.domain.errors import UnsupportedInputError
from flow2api.testing.fakes.media import fake_picture
from tests.e2e.processes import free_port
from tests.integration.fetch.tls_server import Authority, Server, body, redirect, serving, text

LOOPBACK = IPv4Address("127.0.0.1")
PICTURE = fake_picture("image/png", 640, 480, salt="x" * 5000)
HOST = "pictures.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made_in(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[Server]:
    async with serving(authority.context_for(HOST, "other.example")) as running:
        yield running


async def to_loopback(_host: str) -> Sequence[Address]:
    return [LOOPBACK]


def fetcher(server: Server, authority: Authority, **options: object) -> GuardedFetcher:
    arguments: dict[str, object] = {
        "resolver": to_loopback,
        "allow": lambda address: address == LOOPBACK,
        "ca_bundle": authority.bundle,
        "port": server.port,
        **options,
    }
    return GuardedFetcher(**arguments)  # type: ignore[arg-type]


async def fetched(server: Server, authority: Authority, path: str = "/a.png", **options: object) -> bytes:
    url = f"https://{HOST}:{server.port}{path}"
    return await fetcher(server, authority, **options).fetch(url, param="image_url")


async def refusal(server: Server, authority: Authority, path: str = "/a.png", **options: object) -> str:
    with pytest.raises(UnsupportedInputError) as caught:
        await fetched(server, authority, path, **options)
    assert caught.value.param == "image_url"
    assert "127.0.0.1" not in caught.value.message
    return caught.value.code


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/webp"])
async def test_fetches_a_picture(server: Server, authority: Authority, content_type: str) -> None:
    picture = fake_picture(content_type, salt="y" * 300_000)
    server.replies["/a.png?size=large"] = body(picture, "Content-Type: text/plain")

    assert await fetched(server, authority, "/a.png?size=large#top") == picture
    assert server.names == [HOST]
    assert f"\r\nHost: {HOST}:{server.port}\r\n" in server.requests[0]


async def test_says_nothing_of_itself_or_of_the_caller(server: Server, authority: Authority) -> None:
    server.replies["/a.png"] = body(PICTURE)
    await fetched(server, authority)

    names = {line.split(":")[0].lower() for line in server.requests[0].split("\r\n")[1:] if line}
    assert names == {"host", "accept", "user-agent"}


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
async def test_follows_a_redirect(server: Server, authority: Authority, status: str) -> None:
    server.replies["/a.png"] = redirect(f"https://other.example:{server.port}/b/c.png", status=status)
    server.replies["/b/c.png"] = redirect("../d.png?e=1")
    server.replies["/d.png?e=1"] = body(PICTURE)

    assert await fetched(server, authority) == PICTURE
    assert server.names == [HOST, "other.example", "other.example"]


async def test_carries_no_cookie_on(server: Server, authority: Authority) -> None:
    server.replies["/a.png"] = redirect("/b.png", "Set-Cookie: a=1; Path=/; Secure")
    server.replies["/b.png"] = body(PICTURE, "Set-Cookie: b=1; Path=/")
    one = fetcher(server, authority)

    for _ in range(2):
        await one.fetch(f"https://{HOST}:{server.port}/a.png", param="image_url")

    assert len(server.requests) == 4
    assert not any("cookie" in request.lower() for request in server.requests)


async def test_follows_three_redirects_and_no_more(server: Server, authority: Authority) -> None:
    for number in range(5):
        server.replies[f"/{number}"] = redirect(f"/{number + 1}")
    server.replies["/4"] = body(PICTURE)

    assert await fetched(server, authority, "/1") == PICTURE
    assert await refusal(server, authority, "/0") == "failed_to_download_image"
    assert len(server.requests) == 4 + 4


@pytest.mark.parametrize("status", ["400 No", "401 No", "403 No", "404 No", "410 No", "429 No", "500 No", "503 No"])
async def test_refuses_an_error_page_even_with_a_picture(server: Server, authority: Authority, status: str) -> None:
    server.replies["/a.png"] = body(PICTURE, status=status)

    assert await refusal(server, authority) == "failed_to_download_image"


@pytest.mark.parametrize("status", ["206 Part", "204 None", "304 Same", "300 Choose"])
async def test_refuses_what_is_neither_the_picture_nor_a_redirect(
    server: Server, authority: Authority, status: str
) -> None:
    server.replies["/a.png"] = body(b"" if status[:3] in {"204", "304"} else PICTURE, status=status)

    assert await refusal(server, authority) == "failed_to_download_image"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG", b"<html></html>", b"GIF89a" + bytes(50), b"<svg/>" + bytes(50), bytes(3) + b"\x18ftypisom"],
)
async def test_refuses_what_does_not_begin_like_a_picture(server: Server, authority: Authority, data: bytes) -> None:
    server.replies["/a.png"] = body(data, "Content-Type: image/png")

    assert await refusal(server, authority) == "failed_to_download_image"


async def test_unpacks_nothing(server: Server, authority: Authority) -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(PICTURE) + packer.flush()
    server.replies["/a.png"] = body(packed, "Content-Type: image/png", "Content-Encoding: gzip")

    assert await refusal(server, authority) == "failed_to_download_image"


async def test_refuses_a_picture_that_says_it_is_too_large(server: Server, authority: Authority) -> None:
    server.replies["/a.png"] = body(PICTURE, length=12 * 1024 * 1024 + 1)

    assert await refusal(server, authority) == "image_too_large"


async def test_takes_a_picture_of_the_largest_size(server: Server, authority: Authority) -> None:
    server.replies["/a.png"] = body(PICTURE)

    assert await fetched(server, authority, max_bytes=len(PICTURE)) == PICTURE
    assert await refusal(server, authority, max_bytes=len(PICTURE) - 1) == "image_too_large"


async def test_ends_an_endless_picture_at_the_limit(server: Server, authority: Authority) -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = PICTURE[:24] + bytes(65_512)
        while True:
            writer.write(b"10000\r\n" + chunk + b"\r\n")
            await writer.drain()
            sent += len(chunk)

    server.replies["/a.png"] = endless

    assert await refusal(server, authority, max_bytes=1_000_000) == "image_too_large"
    assert sent < 20_000_000


async def test_ends_a_transfer_as_soon_as_it_is_no_picture(server: Server, authority: Authority) -> None:
    ended = asyncio.Event()

    async def page(writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n<html><body>")
            while True:
                writer.write(bytes(1000))
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    server.replies["/a.png"] = page

    assert await refusal(server, authority) == "failed_to_download_image"
    await asyncio.wait_for(ended.wait(), 30)


async def test_gives_up_on_a_slow_server(server: Server, authority: Authority) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        for byte in PICTURE:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.02)

    async def silent(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    for reply in (drip, silent):
        server.replies["/a.png"] = reply
        assert await refusal(server, authority, timeout_s=0.3) == "failed_to_download_image"


async def test_time_limit_is_for_the_whole_way(server: Server, authority: Authority) -> None:
    async def slow_redirect(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await redirect("/b.png")(writer)

    async def slow_picture(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await body(PICTURE)(writer)

    server.replies |= {"/a.png": slow_redirect, "/b.png": slow_picture}

    assert await refusal(server, authority, timeout_s=0.3) == "failed_to_download_image"


async def test_a_picture_that_breaks_off_is_no_picture(server: Server, authority: Authority) -> None:
    server.replies["/a.png"] = body(PICTURE[:-100], length=len(PICTURE))

    assert await refusal(server, authority) == "failed_to_download_image"


async def test_refuses_a_server_whose_authority_nobody_knows(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    server.replies["/a.png"] = body(PICTURE)

    assert await refusal(server, authority, ca_bundle=None) == "failed_to_download_image"
    assert await refusal(server, Authority.made_in(tmp_path)) == "failed_to_download_image"
    assert server.requests == []


async def test_refuses_the_certificate_of_another_host(authority: Authority) -> None:
    async with serving(authority.context_for("elsewhere.example", "127.0.0.1")) as server:
        server.replies["/a.png"] = body(PICTURE)

        assert await refusal(server, authority) == "failed_to_download_image"
        assert server.requests == []


async def test_refuses_when_nobody_listens(authority: Authority) -> None:
    assert await refusal(Server(free_port()), authority) == "failed_to_download_image"


async def test_fetches_only_so_many_at_once(server: Server, authority: Authority) -> None:
    three = asyncio.Barrier(3)

    async def slow(writer: asyncio.StreamWriter) -> None:
        await three.wait()
        await asyncio.sleep(0.05)  # for a fourth one, if there were any
        await body(PICTURE)(writer)

    server.replies["/a.png"] = slow
    one = fetcher(server, authority, at_once=3, timeout_s=30.0)

    pictures = await asyncio.gather(
        *(one.fetch(f"https://{HOST}:{server.port}/a.png", param="image_url") for _ in range(12))
    )

    assert pictures == [PICTURE] * 12
    assert server.most_open == 3


async def test_a_caller_who_gave_up_ends_the_transfer(server: Server, authority: Authority) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def silent(writer: asyncio.StreamWriter) -> None:
        asked.set()
        try:
            while not writer.is_closing():
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    server.replies["/a.png"] = silent
    fetching = asyncio.create_task(fetched(server, authority))
    await asked.wait()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching

    await asyncio.wait_for(ended.wait(), 30)


async def test_names_what_is_there_instead(server: Server, authority: Authority) -> None:
    server.replies["/a.png"] = text("a page")

    with pytest.raises(UnsupportedInputError, match="no PNG, JPEG or WebP picture at this address"):
        await fetched(server, authority)


async def test_waits_for_a_turn_only_so_long(server: Server, authority: Authority) -> None:
    release = asyncio.Event()

    async def stand_still(_host: str) -> Sequence[Address]:
        await release.wait()
        return []

    one = fetcher(server, authority, at_once=1, timeout_s=60.0, wait_s=0.05, resolver=stand_still)
    first = asyncio.create_task(one.fetch(f"https://{HOST}:{server.port}/", param="image_url"))
    await asyncio.sleep(0)
    with pytest.raises(UnsupportedInputError) as refused:
        await one.fetch(f"https://{HOST}:{server.port}/", param="image_url")
    assert refused.value.code == "failed_to_download_image"
    assert not first.done()
    release.set()
    with pytest.raises(UnsupportedInputError):
        await first
