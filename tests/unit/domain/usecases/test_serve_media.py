"""Media for its owner, and for who holds a signed link."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.media import Media
from flow2api.domain.usecases.serve_media import ServeMedia
from flow2api.testing.fakes.secrets import FakeLinkSigner
from tests.unit.domain.usecases.stage import Stage


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


@pytest.mark.parametrize("is_removed", [True, False])
async def test_good_link_opens_nothing_that_is_removed_or_has_expired(
    stage: Stage, media: Media, is_removed: bool
) -> None:
    serve = serving(stage)
    query = serve.link(media.id, 24 * 3600).partition("?")[2]
    if is_removed:
        await stage.storage.media.remove([media.id])
    else:
        await stage.clock.sleep(7200)
    with pytest.raises(tree.MediaNotFoundError):
        await serve.of_link(media.id, query)


async def test_missing_or_shortened_bytes_are_told(stage: Stage, media: Media) -> None:
    with pytest.raises(tree.MediaGoneError):
        await serving(stage).open(replace(media, size_bytes=media.size_bytes + 1))
    stage.world.store.contents.clear()
    with pytest.raises(tree.MediaGoneError):
        await serving(stage).open(media)
