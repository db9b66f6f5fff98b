"""Signed links: whole and in part, without a key, and harmless."""

import pytest

from flow2api.testing.fakes.media import fake_picture
from tests.fakes.use_cases import FAKE_VIDEO, GOOD_QUERY, FakeDoors
from tests.unit.adapters.openai_api.conftest import Client


@pytest.fixture
def link(fakes: FakeDoors) -> str:
    return f"/media/{fakes.media.keep(FAKE_VIDEO).id}?{GOOD_QUERY}"


async def test_opens_without_a_key(client: Client, link: str, fakes: FakeDoors) -> None:
    del client.headers["authorization"]
    answer = await client.get(link)

    assert answer.status_code == 200
    assert answer.content == FAKE_VIDEO
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(FAKE_VIDEO))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["content-disposition"].startswith('inline; filename="media_')
    assert fakes.media.closed == 1


@pytest.mark.parametrize("query", ["", "exp=1&sig=bad", GOOD_QUERY + "x"])
async def test_every_fault_of_the_signature_looks_the_same(client: Client, link: str, query: str) -> None:
    answer = await client.get(f"{link.partition('?')[0]}?{query}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


async def test_head_sends_only_the_headers(client: Client, link: str) -> None:
    answer = await client.head(link)
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-length"] == str(len(FAKE_VIDEO))


async def test_sends_a_part(client: Client, link: str) -> None:
    answer = await client.get(link, headers={"range": "bytes=100-199"})
    assert answer.status_code == 206
    assert answer.content == FAKE_VIDEO[100:200]
    assert answer.headers["content-range"] == f"bytes 100-199/{len(FAKE_VIDEO)}"
    assert answer.headers["content-length"] == "100"


async def test_a_part_outside_cannot_be_sent(client: Client, link: str) -> None:
    answer = await client.get(link, headers={"range": "bytes=99999-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(FAKE_VIDEO)}"


async def test_if_range_decides_between_part_and_whole(client: Client, link: str) -> None:
    etag = (await client.head(link)).headers["etag"]
    part = {"range": "bytes=0-9"}
    assert (await client.get(link, headers={**part, "if-range": etag})).status_code == 206
    assert (await client.get(link, headers={**part, "if-range": '"other"'})).status_code == 200


async def test_what_the_client_holds_is_not_sent_again(client: Client, link: str) -> None:
    etag = (await client.head(link)).headers["etag"]
    answer = await client.get(link, headers={"if-none-match": etag})
    assert answer.status_code == 304
    assert answer.content == b""


async def test_two_media_with_the_same_bytes_have_addresses_of_their_own(client: Client, fakes: FakeDoors) -> None:
    one, other = fakes.media.keep(fake_picture()), fakes.media.keep(fake_picture())
    assert one.sha256 not in (await client.get(f"/media/{one.id}?{GOOD_QUERY}")).headers["content-disposition"]
    assert one.id != other.id


async def test_a_type_outside_the_table_is_never_served(client: Client, fakes: FakeDoors) -> None:
    page = fakes.media.keep(b"<html><script>alert(1)</script>", content_type="text/html")
    assert (await client.get(f"/media/{page.id}?{GOOD_QUERY}")).status_code == 410
