"""Previews of videos."""

import asyncio
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from typing import cast

import pytest
import pytest_asyncio
from PIL import Image

from flow2api.adapters.imaging.stills import PyAvVideoStills
from flow2api.adapters.imaging.workers import Workers
from flow2api.domain.errors import MediaError, MediaGoneError
from flow2api.testing.fakes.media import in_chunks
from tests.unit.adapters.imaging import samples

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stills() -> AsyncIterator[PyAvVideoStills]:
    workers = Workers()
    yield PyAvVideoStills(workers)
    await workers.aclose()


@pytest.fixture(scope="module")
def video() -> bytes:
    return samples.video()


def reading(data: bytes) -> Callable[[], AsyncIterator[bytes]]:
    return lambda: in_chunks(data)


def shown(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


async def test_thumbnail_is_the_first_frame(stills: PyAvVideoStills, video: bytes) -> None:
    image = shown(await stills.thumbnail(reading(video)))

    assert (image.format, image.size) == ("WEBP", (320, 180))
    assert max(cast("tuple[int, int, int]", image.convert("RGB").getpixel((160, 90)))) < 20


async def test_thumbnail_is_made_smaller_and_never_larger(stills: PyAvVideoStills, video: bytes) -> None:
    assert shown(await stills.thumbnail(reading(video), 160)).size == (160, 90)
    assert shown(await stills.thumbnail(reading(video), 4000)).size == (320, 180)


@pytest.mark.parametrize("frames", [48, 25, 3, 1])
async def test_spritesheet_goes_from_the_beginning_to_the_end(stills: PyAvVideoStills, frames: int) -> None:
    image = shown(await stills.spritesheet(reading(samples.video(frames)))).convert("L")

    greys = [cast("int", image.getpixel((x * 160 + 80, y * 90 + 45))) for y in range(5) for x in range(5)]
    assert image.size == (800, 450)
    assert greys[0] < 20
    assert greys == sorted(greys)
    if frames >= 25:
        assert greys[12] > 100
        assert greys[24] > 220


async def test_spritesheet_of_an_upright_video_keeps_its_ratio(stills: PyAvVideoStills) -> None:
    upright = samples.video(10, 180, 320, sound=False)

    assert shown(await stills.spritesheet(reading(upright), 3, 2, 90)).size == (270, 320)


async def test_a_video_that_breaks_off_is_shown_as_far_as_it_goes(stills: PyAvVideoStills) -> None:
    data = samples.video(frames=60, sound=False)
    ends = data.index(b"moov") - 4
    begins = (data.index(b"mdat") + ends) // 2
    harmed = data[:begins] + bytes(ends - begins) + data[ends:]

    assert ends > begins
    assert shown(await stills.spritesheet(reading(harmed))).size == (800, 450)
    with pytest.raises(MediaGoneError):
        await stills.thumbnail(reading(data[:ends]))


@pytest.mark.parametrize("data", [b"", b"text", b"\x00\x00\x00\x18ftypisom" + bytes(400), samples.plain("PNG")])
async def test_says_so_when_there_is_no_video(stills: PyAvVideoStills, data: bytes) -> None:
    with pytest.raises(MediaGoneError):
        await stills.thumbnail(reading(data))
    with pytest.raises(MediaGoneError):
        await stills.spritesheet(reading(data))


async def test_opens_nothing_that_a_playlist_names(stills: PyAvVideoStills) -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"

    with pytest.raises(MediaGoneError):
        await stills.thumbnail(reading(playlist))


async def test_takes_only_so_long(video: bytes) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield video[:100]
        await asyncio.Event().wait()

    workers = Workers()
    with pytest.raises(MediaError, match="in time"):
        await PyAvVideoStills(workers, time_limit_s=0.05).thumbnail(stalling)
    await workers.aclose()


async def test_failure_of_the_store_is_passed_on(stills: PyAvVideoStills) -> None:
    async def gone() -> AsyncIterator[bytes]:
        raise MediaGoneError("The bytes are gone.")
        yield b""

    with pytest.raises(MediaGoneError, match="The bytes are gone"):
        await stills.thumbnail(gone)


async def test_videos_leave_a_process_for_pictures(video: bytes) -> None:
    turns: list[int] = []

    class Watched(Workers):
        async def run(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            turns.append(1)
            try:
                return await super().run(*args, **kwargs)  # type: ignore[arg-type]
            finally:
                turns.append(-1)

    workers = Watched()
    stills = PyAvVideoStills(workers)
    await asyncio.gather(*(stills.thumbnail(reading(video)) for _ in range(4)))
    await workers.aclose()

    assert turns == [1, -1] * 4
