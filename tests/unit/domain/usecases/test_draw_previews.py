"""Previews are small, drawn once, and held within bounds."""

import asyncio

import pytest

from flow2api.domain.errors import MediaGoneError
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.domain.usecases import draw_previews
from flow2api.domain.usecases.draw_previews import MAX_BYTES, DrawPreviews
from flow2api.domain.usecases.serve_media import OpenMedia
from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.media import FakePictures, FakeVideoStills, fake_picture, in_chunks


class CountingPictures(FakePictures):
    drawn = 0

    async def preview(self, data: bytes, max_side_px: int, max_bytes: int) -> bytes:
        self.drawn += 1
        await asyncio.sleep(0)
        return await super().preview(data, max_side_px, max_bytes)


class LargeStills(FakeVideoStills):
    async def thumbnail(self, read: object, max_side_px: int = 640) -> bytes:
        return fake_picture("image/webp", 320, 320) + bytes(MAX_BYTES)


def opened(data: bytes, kind: MediaKind = MediaKind.IMAGE, *, name: str = "a", size: int | None = None) -> OpenMedia:
    media = Media(
        id=f"med_{name}",
        key_id=None,
        kind=kind,
        role=MediaRole.RESULT,
        content_type="image/png" if kind is MediaKind.IMAGE else "video/mp4",
        size_bytes=len(data),
        sha256=name * 64,
        created_at=START,
    )
    return OpenMedia(media, len(data) if size is None else size, lambda start, stop: in_chunks(data[start:stop]))


async def test_picture_is_drawn_once_for_all_who_ask() -> None:
    pictures = CountingPictures()
    draw = DrawPreviews(pictures, FakeVideoStills())
    large = opened(fake_picture(width=2000, height=1000))

    first, second = await asyncio.gather(draw(large), draw(large))
    third = await draw(large)

    assert first == second == third == fake_picture("image/webp", 320, 320)
    assert pictures.drawn == 1


async def test_video_is_shown_by_its_first_frame_which_is_drawn_smaller_when_it_is_large() -> None:
    film = opened(b"film", MediaKind.VIDEO)
    plain, large = CountingPictures(), CountingPictures()

    assert await DrawPreviews(plain, FakeVideoStills())(film) == fake_picture("image/webp", 320, 320)
    assert await DrawPreviews(large, LargeStills())(film) == fake_picture("image/webp", 320, 320)
    assert (plain.drawn, large.drawn) == (0, 1)


async def test_what_nobody_looked_at_for_longest_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = CountingPictures()
    draw = DrawPreviews(pictures, FakeVideoStills())
    monkeypatch.setattr(draw_previews, "_HELD_BYTES", 2 * len(fake_picture("image/webp", 64, 64)))
    for name in ("a", "b", "a", "c", "a"):
        await draw(opened(fake_picture(), name=name))
    assert pictures.drawn == 3

    await draw(opened(fake_picture(), name="b"))

    assert pictures.drawn == 4


async def test_picture_that_is_too_large_is_not_read() -> None:
    with pytest.raises(MediaGoneError):
        await DrawPreviews(FakePictures(), FakeVideoStills())(opened(b"", size=2**30))
