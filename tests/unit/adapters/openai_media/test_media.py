"""Where media is fetched from, and what is shown to whom."""

from dataclasses import replace

import pytest

from flow2api.adapters.openai_media.caller import Caller, TimeLimits
from flow2api.adapters.openai_media.media import MediaSource
from flow2api.domain.account import Tier
from flow2api.domain.errors import (
    AccountUnusableError,
    UnsupportedInputError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
)
from flow2api.domain.generation import Product
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer
from flow2api.testing.fakes.clock import FakeClock
from tests.unit.adapters.flow.scripted import ScriptedTransport, Step

BASE = "https://host.example/v1"
ACCESS = Access(account_id=1, session_token=None, access_token=Secret("sk-1"), tier=Tier.FREE, base_url=BASE)
BYTES = Answer(200, [b"content-type: image/png\r\n"], b"0123456789")
KEY = b"Authorization: Bearer sk-1"


class Elsewhere:
    """Hosts that nobody has named."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, url: str, *, param: str) -> bytes:
        self.asked.append(url)
        if "inside" in url:
            raise UnsupportedInputError("It is refused.", param=param)
        return b"from elsewhere"


def moved(address: str) -> Answer:
    return Answer(302, [b"location: " + address.encode() + b"\r\n"], b"")


def source(*steps: Step, hosts: tuple[str, ...] = ()) -> tuple[MediaSource, ScriptedTransport, Elsewhere]:
    transport, elsewhere = ScriptedTransport(list(steps) or [BYTES]), Elsewhere()
    caller = Caller(transport, FakeClock(), TimeLimits())
    return MediaSource(caller, transport, elsewhere, hosts), transport, elsewhere


async def bytes_of(media: MediaSource, product: Product, access: Access = ACCESS, *, thumbnail: bool = False) -> bytes:
    return b"".join([chunk async for chunk in media.fetch(access, product, thumbnail=thumbnail)])


async def test_video_is_asked_for_by_its_name_with_the_key() -> None:
    media, transport, _ = source()

    assert await bytes_of(media, Product("video_1/x")) == BYTES.body
    assert transport.calls[0].url == f"{BASE}/videos/video_1%2Fx/content"
    assert KEY in transport.calls[0].headers


async def test_thumbnail_is_a_variant() -> None:
    media, transport, _ = source()

    await bytes_of(media, Product("video_1"), thumbnail=True)

    assert transport.calls[0].url.endswith("/videos/video_1/content?variant=thumbnail")


async def test_link_of_the_own_host_is_followed_with_the_key() -> None:
    media, transport, elsewhere = source()

    await bytes_of(media, Product("", url="https://host.example/media/1?sig=x"))

    assert (transport.calls[0].url, KEY in transport.calls[0].headers) == ("https://host.example/media/1?sig=x", True)
    assert elsewhere.asked == []


async def test_host_that_was_named_is_shown_no_key() -> None:
    media, transport, elsewhere = source(hosts=("cdn.example",))

    assert await bytes_of(media, Product("", url="https://cdn.example/1.png")) == BYTES.body
    assert transport.calls[0].headers == []
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    "url", ["https://other.example/1.png", "http://cdn.example/1.png", "https://host.example:8443/1"]
)
async def test_any_other_host_is_the_guarded_fetchers_business(url: str) -> None:
    media, transport, elsewhere = source(hosts=("cdn.example",))

    assert await bytes_of(media, Product("", url=url)) == b"from elsewhere"
    assert (transport.calls, elsewhere.asked) == ([], [url])


async def test_what_the_guarded_fetcher_refuses_is_no_picture() -> None:
    media, _, _ = source()

    with pytest.raises(UpstreamInvalidError, match="of no use"):
        await bytes_of(media, Product("", url="https://inside.example/1.png"))


@pytest.mark.parametrize(("proxy", "media_proxy"), [("http://p.example:1", None), (None, "http://p.example:1")])
async def test_nothing_is_fetched_past_a_proxy(proxy: str | None, media_proxy: str | None) -> None:
    media, _, elsewhere = source()
    access = replace(
        ACCESS,
        proxy=None if proxy is None else Secret(proxy),
        media_proxy=None if media_proxy is None else Secret(media_proxy),
    )

    with pytest.raises(UpstreamInvalidError, match="media_hosts"):
        await bytes_of(media, Product("", url="https://other.example/1.png"), access)
    assert elsewhere.asked == []


async def test_downloads_that_go_direct_may_go_elsewhere() -> None:
    media, _, _ = source()
    access = replace(ACCESS, proxy=Secret("http://p.example:1"), media_proxy=Secret(""))

    assert await bytes_of(media, Product("", url="https://other.example/1.png"), access) == b"from elsewhere"


async def test_redirect_to_a_named_host_loses_the_key() -> None:
    media, transport, _ = source(moved("https://cdn.example/1.mp4"), BYTES, hosts=("cdn.example",))

    assert await bytes_of(media, Product("video_1")) == BYTES.body
    assert [KEY in call.headers for call in transport.calls] == [True, False]


@pytest.mark.parametrize(
    "address", ["https://other.example/1.mp4", "http://169.254.169.254/x", "//other.example/1", "", "file:///x"]
)
async def test_redirect_to_a_host_that_nobody_named_is_not_followed(address: str) -> None:
    media, transport, elsewhere = source(moved(address), BYTES if address else moved(address))

    with pytest.raises(UpstreamInvalidError):
        await bytes_of(media, Product("video_1"))
    assert elsewhere.asked == []
    assert all(call.url.startswith("https://host.example/") for call in transport.calls)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, [b"content-type: text/html\r\n"], b"<html>"), UpstreamInvalidError),
        (Answer(200, [b"content-encoding: br\r\n"], b"x"), UpstreamInvalidError),
        (Answer(200, [], b""), UpstreamInvalidError),
        (Answer(403, [], b""), UpstreamNotFoundError),
        (Answer(500, [], b""), UpstreamRejectedError),
    ],
)
async def test_what_is_no_media_is_told(answer: Answer, expected: type[Exception]) -> None:
    media, _, _ = source(answer)

    with pytest.raises(expected):
        await bytes_of(media, Product("", url="https://host.example/1"))


async def test_product_that_the_host_keeps_nothing_of_is_not_found() -> None:
    media, _, _ = source()

    with pytest.raises(UpstreamNotFoundError):
        await bytes_of(media, Product(""))


@pytest.mark.parametrize("base_url", [None, "", "host.example", "https://host.example/v1?x=1"])
async def test_account_without_a_base_url_is_of_no_use(base_url: str | None) -> None:
    media, transport, _ = source()

    with pytest.raises(AccountUnusableError):
        await bytes_of(media, Product("video_1"), replace(ACCESS, base_url=base_url))
    assert transport.calls == []
