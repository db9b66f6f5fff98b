from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.simulator.player import Player


async def picture_link(player: Player) -> str:
    media = (await player.picture()).json()["media"][0]
    return str(media["image"]["generatedImage"]["fifeUrl"]).removeprefix("http://127.0.0.1")


async def test_links_are_signed_in_the_buckets_form(player: Player) -> None:
    parts = urlsplit(await picture_link(player))
    assert parts.path.startswith("/ai-sandbox-videofx/image/")
    assert set(parse_qs(parts.query)) == {"GoogleAccessId", "Expires", "Signature"}


async def test_links_need_no_credentials_and_expire(player: Player) -> None:
    link = await picture_link(player)
    assert (await player.send("GET", link)).status == 200
    player.world.clock.advance(6 * 3600 + 1)
    expired = await player.send("GET", link)
    assert (expired.status, b"ExpiredToken" in expired.body) == (403, True)


async def test_forged_links_are_refused(player: Player) -> None:
    link = await picture_link(player)
    forged = await player.send("GET", link[:-4] + "0000")
    assert (forged.status, b"SignatureDoesNotMatch" in forged.body) == (403, True)
    assert (await player.send("GET", link.split("?")[0])).status == 403


async def test_good_links_to_nothing_are_not_found(player: Player) -> None:
    link = player.world.links.storage("video", "nothing", player.world.clock.now() + 60)
    assert (await player.send("GET", link.removeprefix("http://127.0.0.1"))).status == 404


@pytest.mark.parametrize(
    ("wanted", "status", "piece"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=5-", 206, slice(5, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=10-999999", 206, slice(10, None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
async def test_serves_single_ranges(player: Player, wanted: str, status: int, piece: slice) -> None:
    link = await picture_link(player)
    whole = (await player.send("GET", link)).body
    answer = await player.send("GET", link, headers={"range": wanted})
    assert (answer.status, answer.body) == (status, whole[piece])


async def test_refuses_ranges_behind_the_end(player: Player) -> None:
    answer = await player.send("GET", await picture_link(player), headers={"range": "bytes=9999999-"})
    assert answer.status == 416


async def test_head_tells_the_length_without_the_body(player: Player) -> None:
    link = await picture_link(player)
    whole = (await player.send("GET", link)).body
    answer = await player.send("HEAD", link)
    assert (answer.body, int(answer.headers["content-length"])) == (b"", len(whole))
