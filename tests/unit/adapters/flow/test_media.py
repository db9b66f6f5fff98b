from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.flow.media import PAUSES_S, MediaSource, origin_of
from flow2api.domain.errors import (
    AccountUnusableError,
    CredentialRevokedError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
)
from flow2api.domain.generation import Product
from flow2api.libcurl.calls import Answer
from flow2api.testing.fakes.clock import FakeClock
from tests.unit.adapters.flow.scripted import ACCESS, API, LABS, ScriptedTransport, Step, caller_over, refused

BYTES = Answer(200, [b"content-type: video/mp4\r\n"], b"0123456789")
NOT_FOUND = refused(404)


def source(*steps: Step) -> tuple[MediaSource, ScriptedTransport, FakeClock]:
    transport, clock = ScriptedTransport(list(steps)), FakeClock()
    return MediaSource(caller_over(transport, clock), transport, clock, (LABS, API)), transport, clock


def to(location: str, *head: bytes) -> Answer:
    return Answer(307, [f"location: {location}\r\n".encode(), *head], b"")


async def fetched(media: MediaSource, product: Product, **fields: Any) -> bytes:
    return b"".join([chunk async for chunk in media.fetch(ACCESS, product, **({"thumbnail": False} | fields))])


@pytest.mark.parametrize(
    "address",
    [
        "https://storage.googleapis.com/ai-sandbox-videofx/video/1?Expires=1&Signature=a%2Fb",
        "https://flow-content.google/video/1",
        "https://flow-content.google:443/video/1",
        "https://labs.example/media/1",
        "https://api.example:443/media/1",
    ],
)
def test_named_hosts_and_the_bases_are_allowed(address: str) -> None:
    assert source(BYTES)[0].is_allowed(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://storage.googleapis.com/x",
        "https://storage.googleapis.com:8443/x",
        "https://storage.googleapis.com.evil.example/x",
        "https://evil.example/storage.googleapis.com",
        "https://storage.googleapis.com@evil.example/x",
        "https://evil.example\\@storage.googleapis.com/x",
        "https://storage.googleapis.com%2eevil.example/x",
        "https://storage.googleapis.com\t.evil.example/x",
        "https:///x",
        "https://[::1/x",
        "https://labs.example:80/x",
        "ftp://storage.googleapis.com/x",
        "file:///etc/passwd",
        "//storage.googleapis.com/x",
        "https://storage.googleapis.com/a b",
        "https://storage.googleapis.com/\r\nHost: evil.example",
        "",
    ],
)
def test_everything_else_is_foreign(address: str) -> None:
    assert not source(BYTES)[0].is_allowed(address)


@given(st.text(max_size=40))
def test_origin_of_whatever_comes(text: str) -> None:
    assert isinstance(origin_of("https://" + text), str)


async def test_relative_redirect_is_within_the_base() -> None:
    media, transport, _ = source(to("/media/1"), BYTES)

    assert await fetched(media, Product("x")) == BYTES.body

    assert transport.calls[1].url == "https://labs.example/media/1"
    assert transport.calls[1].headers == []


async def test_name_is_quoted() -> None:
    media, transport, _ = source(to("/media/1"), BYTES)

    await fetched(media, Product("a/../b&c=d#e"))

    assert "?name=a%2F..%2Fb%26c%3Dd%23e&" in transport.calls[0].url


async def test_waiting_for_the_redirect_backs_off_and_ends() -> None:
    media, transport, clock = source(NOT_FOUND)

    with pytest.raises(UpstreamNotFoundError):
        await fetched(media, Product("x"), thumbnail=True)

    assert clock.slept == list(PAUSES_S)
    assert len(transport.calls) == len(PAUSES_S) + 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, [b"content-type: text/html\r\n"], b"<html>"), CredentialRevokedError),
        (to("https://accounts.google.com/v3/signin"), CredentialRevokedError),
        (to("https://labs.google/fx/api/auth/signin"), CredentialRevokedError),
        (to("https://evil.example/x", b"content-type: text/html; charset=utf-8\r\n"), CredentialRevokedError),
        (Answer(401, [], b""), CredentialRevokedError),
        (to("https://flow.google.com/x", b"content-type: text/html\r\n"), AccountUnusableError),
        (to("https://evil.example/x"), UpstreamInvalidError),
        (Answer(200, [b"content-type: application/json\r\n"], b"{}"), UpstreamInvalidError),
    ],
)
async def test_redirect_that_leads_nowhere_says_why(answer: Answer, error: type[Exception]) -> None:
    media, _, _ = source(answer, NOT_FOUND)

    with pytest.raises(error):
        await fetched(media, Product("x"), thumbnail=True)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_link_that_is_over_leads_to_the_name(status: int) -> None:
    media, transport, _ = source(Answer(status, [], b""), to("/media/1"), BYTES)

    assert await fetched(media, Product("x", "https://labs.example/old")) == BYTES.body

    assert len(transport.calls) == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, [b"content-type: text/html\r\n"], b"<html>"),
        Answer(200, [b"content-type: video/mp4\r\n", b"content-encoding: gzip\r\n"], b"\x1f\x8b"),
        Answer(200, [b"content-type: video/mp4\r\n"], b""),
        Answer(302, [b"location: https://evil.example/\r\n"], b""),
    ],
    ids=["page", "compressed", "empty", "redirect"],
)
async def test_what_is_no_media_is_refused(answer: Answer) -> None:
    media, _, _ = source(answer)

    with pytest.raises(UpstreamInvalidError):
        await fetched(media, Product("x", "https://labs.example/media/1"))
