"""Media for its owner, and for who holds a signed link."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.api_key import Caller
from flow2api.domain.media import Media
from flow2api.domain.usecases.serve_media import ServeMedia
from tests.fakes.secrets import FakeLinkSigner
from tests.unit.domain.usecases.stage import CALLER, Stage


def serving(stage: Stage) -> ServeMedia:
    return ServeMedia(stage.storage.media, stage.world.store, FakeLinkSigner(), stage.clock)


@pytest.fixture
async def media(stage: Stage) -> Media:
    return await stage.media(expires_at=stage.clock.now() + timedelta(hours=2))


async def test_link_opens_its_media_for_as_long_as_it_says(stage: Stage, media: Media) -> None:
    serve = serving(stage)
    path, _, query = serve.link(media.id, 3600).partition("?")
    assert path == f"/media/{media.id}"
    opened = await serve.of_link(media.id, query)
    assert b"".join([chunk async for chunk in opened.read(0, 8)]) == stage.world.store.contents[media.sha256][:8]
    await stage.clock.sleep(3601)
    with pytest.raises(tree.MediaNotFoundError):
        await serve.of_link(media.id, query)


async def test_link_opens_nothing_else(stage: Stage, media: Media) -> None:
    serve = serving(stage)
    other = await stage.media("other")
    query = serve.link(media.id, 3600).partition("?")[2]
    for media_id, wrong in ((other.id, query), (media.id, ""), (media.id, "exp=x&sig=y")):
        with pytest.raises(tree.MediaNotFoundError):
            await serve.of_link(media_id, wrong)


async def test_owner_needs_no_link_and_nobody_else_has_it(stage: Stage, media: Media) -> None:
    serve = serving(stage)
    assert (await serve.of_caller(media.id, CALLER)).media == media
    for caller in (Caller(2), Caller(None)):
        with pytest.raises(tree.MediaNotFoundError):
            await serve.of_caller(media.id, caller)
    with pytest.raises(tree.MediaNotFoundError):
        await serve.of_caller("media_unknown", CALLER)


async def test_what_has_expired_is_not_there(stage: Stage, media: Media) -> None:
    await stage.clock.sleep(7200)
    with pytest.raises(tree.MediaNotFoundError):
        await serving(stage).of_caller(media.id, CALLER)


async def test_missing_or_shortened_bytes_are_told(stage: Stage, media: Media) -> None:
    with pytest.raises(tree.MediaGoneError):
        await serving(stage).open(replace(media, size_bytes=media.size_bytes + 1))
    stage.world.store.contents.clear()
    with pytest.raises(tree.MediaGoneError):
        await serving(stage).open(media)
