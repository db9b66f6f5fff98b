"""Inputs become media of the caller's; own links are never fetched, and nobody else's are opened."""

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.api_key import Caller
from flow2api.domain.data_url import PIECE_CHARACTERS
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.domain.usecases.ingest_pictures import IngestPictures
from flow2api.testing.fakes.media import FakePictureFetcher, FakePictures, fake_picture
from tests.unit.domain.usecases.stage import CALLER, Stage

PICTURE = fake_picture("image/jpeg", 640, 480)


class Ingest:
    def __init__(self, stage: Stage) -> None:
        self.pictures, self.fetcher = FakePictures(), FakePictureFetcher()
        self.ingest = IngestPictures(
            self.pictures,
            self.fetcher,
            stage.world.store,
            stage.storage.media,
            stage.world.ids,
            stage.clock,
            lambda: stage.options,
            stage.lines,
        )


@pytest.fixture
def given(stage: Stage) -> Ingest:
    return Ingest(stage)


async def test_picture_is_looked_at_stored_and_good_for_a_day(stage: Stage, given: Ingest) -> None:
    media = await given.ingest.from_bytes(PICTURE, CALLER, param="image")
    assert (media.width, media.height, media.content_type) == (640, 480, "image/jpeg")
    assert (media.role, media.key_id) == (MediaRole.INPUT, 1)
    assert media.expires_at == stage.clock.now() + timedelta(days=1)
    assert stage.world.store.contents[media.sha256] == PICTURE
    assert stage.tables.media[media.id] == media


async def test_damaged_picture_names_the_field(stage: Stage, given: Ingest) -> None:
    with pytest.raises(tree.UnsupportedInputError) as caught:
        await given.ingest.from_bytes(b"?", CALLER, param="image[2]")
    assert (caught.value.param, caught.value.code) == ("image[2]", "image_parse_error")
    assert not stage.tables.media


async def test_others_run_while_large_pictures_are_decoded(given: Ingest) -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    text = base64.b64encode(PICTURE + bytes(3 * 1024 * 1024)).decode()
    others = asyncio.create_task(take_turns())
    url, bare = await asyncio.gather(
        given.ingest.from_url(f"data:;base64,{text}", CALLER, param="image"),
        given.ingest.from_base64(text, CALLER, param="image"),
    )
    others.cancel()

    assert url.sha256 == bare.sha256
    assert turns >= 2 * len(text) // PIECE_CHARACTERS


@pytest.mark.parametrize("head", ["data:image/jpeg;base64,", "DATA:;base64,"])
async def test_data_url_is_decoded(given: Ingest, head: str) -> None:
    media = await given.ingest.from_url(head + base64.b64encode(PICTURE).decode(), CALLER, param="image")
    assert media.size_bytes == len(PICTURE)
    assert given.fetcher.fetched == []


async def test_other_addresses_are_fetched_unless_that_is_switched_off(stage: Stage, given: Ingest) -> None:
    given.fetcher.pictures["https://pictures.example/a.jpg"] = PICTURE
    media = await given.ingest.from_url("https://pictures.example/a.jpg", CALLER, param="image")
    assert media.width == 640
    stage.configure(picture_urls=False)
    with pytest.raises(tree.UnsupportedInputError) as caught:
        await given.ingest.from_url("https://pictures.example/a.jpg", CALLER, param="image")
    assert caught.value.code == "invalid_image_url"
    assert len(given.fetcher.fetched) == 1


OWN = [
    "{}",
    "/media/{}",
    "https://gateway.example/media/{}",
    "http://127.0.0.1:8000/media/{}?exp=1&sig=old",
    "https://gateway.example/base/media/{}#top",
    "extend://{}",
]


@pytest.mark.parametrize("form", OWN)
async def test_own_link_is_resolved_without_fetching_signed_or_not(stage: Stage, given: Ingest, form: str) -> None:
    media = await stage.media()
    assert await given.ingest.from_url(form.format(media.id), CALLER, param="image") == media
    assert given.fetcher.fetched == []


@pytest.mark.parametrize(
    "form",
    [
        "https://gateway.example/media/{}/more",
        "https://gateway.example/?next=/media/{}",
        "ftp://gateway.example/media/{}",
        "https://gateway.example/a/b/c/d/media/{}",
        "https://gateway.example\n/media/{}",
        "x" * 2100 + "/media/{}",
        "/media/{}x" * 2,
    ],
)
async def test_what_only_looks_like_an_own_link_is_none(stage: Stage, given: Ingest, form: str) -> None:
    media = await stage.media()
    assert await given.ingest.own(form.replace("{}", media.id), CALLER) is None


async def test_foreign_and_expired_media_are_not_resolved(stage: Stage, given: Ingest) -> None:
    media = await stage.media(expires_at=stage.clock.now() + timedelta(hours=1))
    assert await given.ingest.own(media.id, Caller(2)) is None
    assert await given.ingest.own(media.id, Caller(2, first_id=1)) == media
    assert await given.ingest.own("media_" + "0" * 32, CALLER) is None
    await stage.clock.sleep(3600)
    assert await given.ingest.own(media.id, CALLER) is None


async def test_link_to_a_video_is_no_picture(stage: Stage, given: Ingest) -> None:
    video: Media = await stage.media(kind=MediaKind.VIDEO, role=MediaRole.RESULT)
    assert await given.ingest.own(video.id, CALLER) == video
    with pytest.raises(tree.UnsupportedInputError) as caught:
        await given.ingest.from_url(video.id, CALLER, param="image")
    assert caught.value.param == "image"
    assert replace(video).kind is MediaKind.VIDEO


async def test_large_data_url_is_decoded_apart_from_the_loop(given: Ingest) -> None:
    large = PICTURE + bytes(3_000_000)
    url = "data:image/jpeg;base64," + base64.b64encode(large).decode()
    assert (await given.ingest.from_url(url, CALLER, param="image")).size_bytes == len(large)
