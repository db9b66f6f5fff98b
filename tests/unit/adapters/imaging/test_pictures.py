"""The whole way of a picture: the glance in the server, the decoder in its process, the answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from PIL import Image

from flow2api.adapters.imaging.limits import PictureLimits
from flow2api.adapters.imaging.pictures import PillowPictures
from flow2api.adapters.imaging.workers import Workers
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import PictureFacts
from tests.unit.adapters.imaging import samples

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[Workers]:
    made = Workers(at_most=1)
    yield made
    await made.aclose()


@pytest.fixture
def pictures(workers: Workers) -> PillowPictures:
    return PillowPictures(workers)


def shown(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def pixel(data: bytes, x: int = 8, y: int = 8) -> tuple[int, int, int, int]:
    """Red, green, blue and how opaque."""
    return cast("tuple[int, int, int, int]", shown(data).convert("RGBA").getpixel((x, y)))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def test_tells_type_and_size(pictures: PillowPictures) -> None:
    assert await pictures.inspect(samples.plain("PNG")) == PictureFacts("image/png", 40, 24)
    assert await pictures.inspect(samples.plain("JPEG")) == PictureFacts("image/jpeg", 40, 24)
    assert await pictures.inspect(samples.plain("WEBP")) == PictureFacts("image/webp", 40, 24)
    assert await pictures.inspect(samples.plain("WEBP", lossless=True)) == PictureFacts("image/webp", 40, 24)


async def test_tells_the_size_that_a_viewer_shows(pictures: PillowPictures) -> None:
    sizes = [(await pictures.inspect(samples.lying(orientation))) for orientation in range(1, 9)]

    assert [(facts.width, facts.height) for facts in sizes] == [(40, 24)] * 4 + [(24, 40)] * 4


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
async def test_reads_every_kind_of_png(pictures: PillowPictures, mode: str) -> None:
    data = samples.plain("PNG", mode=mode)

    assert (await pictures.inspect(data)).width == 40
    for content_type in ("image/png", "image/jpeg", "image/webp"):
        assert shown(await pictures.convert(data, content_type)).size == (40, 24)


async def test_reads_cmyk(pictures: PillowPictures) -> None:
    cyan = samples.encoded(Image.new("CMYK", (40, 24), (255, 0, 0, 0)), "JPEG")

    assert await pictures.inspect(cyan) == PictureFacts("image/jpeg", 40, 24)
    red, green, blue, _ = pixel(await pictures.convert(cyan, "image/png"))
    assert red < 60 < 150 < min(green, blue)


REFUSED = {
    "nothing": (b"", "empty_image_file"),
    "text": (b"this is no picture at all", "invalid_image_format"),
    "html": (b"<!doctype html><script>1</script>", "invalid_image_format"),
    "mp4": (b"\x00\x00\x00\x18ftypisom" + bytes(40), "invalid_image_format"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_image_media_type"),
    "gif": (samples.plain("GIF"), "unsupported_image_media_type"),
    "bmp": (samples.plain("BMP"), "unsupported_image_media_type"),
    "tiff": (samples.plain("TIFF"), "unsupported_image_media_type"),
    "heic": (b"\x00\x00\x00\x18ftypheic" + bytes(40), "unsupported_image_media_type"),
    "avif": (b"\x00\x00\x00\x18ftypavif" + bytes(40), "unsupported_image_media_type"),
    "gif that carries a jpeg": (samples.plain("GIF") + samples.plain("JPEG"), "unsupported_image_media_type"),
    "png signature alone": (b"\x89PNG\r\n\x1a\n", "image_parse_error"),
    "jpeg signature alone": (b"\xff\xd8\xff", "image_parse_error"),
    "webp signature alone": (b"RIFF\x00\x00\x00\x00WEBP", "image_parse_error"),
    "png signature before html": (b"\x89PNG\r\n\x1a\n<script>1</script>" + bytes(60), "image_parse_error"),
    "png bomb": (samples.bomb(60_000, 60_000), "image_too_large"),
    "png of one long side": (samples.bomb(16_385, 1), "image_too_large"),
    "png of 50 megapixels and a bit": (samples.bomb(10_000, 5_001), "image_too_large"),
    "webp bomb": (samples.webp_claiming(16_384, 16_384), "image_too_large"),
    "png without its pixels": (samples.bomb(4000, 4000), "image_parse_error"),
    "png of no width": (samples.bomb(0, 5), "image_parse_error"),
    "cut png": (samples.detailed("PNG")[:-5000], "image_parse_error"),
    "cut jpeg": (samples.detailed("JPEG")[:-5000], "image_parse_error"),
    "cut webp": (samples.detailed("WEBP")[:-2000], "image_parse_error"),
    "animated png": (samples.animated("PNG"), "invalid_image"),
    "animated webp": (samples.animated("WEBP"), "invalid_image"),
    "13 MiB": (samples.plain("PNG") + bytes(13 * MIB), "image_too_large"),
}


@pytest.mark.parametrize("convert", [False, True], ids=["inspect", "convert"])
async def test_refuses_what_is_no_still_picture_that_it_reads(pictures: PillowPictures, convert: bool) -> None:
    codes = {}
    for name, (data, _) in REFUSED.items():
        with pytest.raises(UnsupportedInputError) as caught:
            await (pictures.convert(data, "image/png") if convert else pictures.inspect(data))
        codes[name] = caught.value.code
        assert caught.value.message.endswith(".")

    assert codes == {name: code for name, (_, code) in REFUSED.items()}


async def test_starts_no_process_for_what_the_first_bytes_forbid() -> None:
    pictures = PillowPictures(Workers(at_most=0))

    for data in (samples.bomb(60_000, 60_000), b"text", b"", samples.webp_claiming(16_384, 16_384)):
        async with asyncio.timeout(20):
            with pytest.raises(UnsupportedInputError):
                await pictures.inspect(data)


async def test_limits_can_be_set(workers: Workers) -> None:
    pictures = PillowPictures(workers, PictureLimits(max_bytes=5000, max_pixels=2000, max_side_px=60, min_side_px=8))

    accepted = await pictures.inspect(samples.plain("PNG", 40, 50))
    codes = []
    for data in (samples.plain("PNG", 41, 50), samples.plain("PNG", 61, 10), samples.plain("PNG", 7, 10), bytes(5001)):
        with pytest.raises(UnsupportedInputError) as caught:
            await pictures.inspect(data)
        codes.append(caught.value.code)

    assert (accepted.width, accepted.height) == (40, 50)
    assert codes == ["image_too_large", "image_too_large", "image_too_small", "image_too_large"]


async def test_survives_any_damage(pictures: PillowPictures) -> None:
    """Each byte of small pictures changed in turn: an answer or a refusal, and never anything else."""
    for file_format in ("PNG", "JPEG", "WEBP"):
        data = samples.plain(file_format, 8, 8)
        for at in range(0, len(data), max(1, len(data) // 60)):
            harmed = data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :]
            with contextlib.suppress(UnsupportedInputError):
                assert (await pictures.inspect(harmed)).width


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/webp"])
async def test_converts_upright_and_without_metadata(pictures: PillowPictures, content_type: str) -> None:
    made = await pictures.convert(samples.lying(6), content_type, 95)

    image = shown(made)
    assert Image.MIME[str(image.format)] == content_type
    assert image.size == (24, 40)
    assert not dict(image.getexif())
    assert b"where I live" not in made
    # Turned a quarter clockwise, the left half is on top.
    red, green, *_ = pixel(made, 12, 8)
    assert red > 150 > green
    assert min(pixel(made, 12, 32)) > 240


async def test_convert_drops_text_and_profile(pictures: PillowPictures) -> None:
    data = samples.plain("PNG", icc_profile=samples.profile(), dpi=(300, 300))
    jpeg = samples.plain("JPEG", icc_profile=samples.profile(), comment=b"a remark")

    for source in (data, jpeg):
        for content_type in ("image/png", "image/jpeg", "image/webp"):
            info = shown(await pictures.convert(source, content_type)).info
            assert {"icc_profile", "comment", "exif", "dpi"} & info.keys() <= ({"dpi"} if "jfif" in info else set())


async def test_convert_ignores_a_broken_profile(pictures: PillowPictures) -> None:
    data = samples.plain("PNG", icc_profile=b"no profile at all")

    assert shown(await pictures.convert(data, "image/webp")).size == (40, 24)


async def test_jpeg_shows_white_for_what_was_transparent(pictures: PillowPictures) -> None:
    clear = samples.encoded(Image.new("RGBA", (16, 16), (0, 0, 0, 0)))
    palette = Image.new("P", (16, 16), 0)
    clear_by_palette = samples.encoded(palette, transparency=0)

    for data in (clear, clear_by_palette, samples.encoded(Image.new("LA", (16, 16), (0, 0)))):
        assert min(pixel(await pictures.convert(data, "image/jpeg"))) > 250
        assert pixel(await pictures.convert(data, "image/webp"))[3] == 0


async def test_keeps_the_greys_of_sixteen_bits(pictures: PillowPictures) -> None:
    grey = Image.new("I;16", (8, 8), 128 * 256)

    assert abs(pixel(await pictures.convert(samples.encoded(grey), "image/png"), 4, 4)[0] - 128) <= 1


async def test_quality_decides_the_size(pictures: PillowPictures) -> None:
    noise = samples.detailed("PNG")

    for content_type in ("image/jpeg", "image/webp"):
        low, best = [len(await pictures.convert(noise, content_type, quality)) for quality in (10, 95)]
        assert low < best / 2


@pytest.mark.parametrize(("content_type", "quality"), [("image/gif", None), ("text/html", None), ("image/png", 101)])
async def test_refuses_a_conversion_that_does_not_exist(
    pictures: PillowPictures, content_type: str, quality: int | None
) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        await pictures.convert(samples.plain(), content_type, quality)

    assert caught.value.code == "invalid_value"


async def test_shows_a_phones_double_jpeg_as_its_first(pictures: PillowPictures) -> None:
    double = samples.encoded(
        Image.new("RGB", (40, 24)), "MPO", save_all=True, append_images=[Image.new("RGB", (20, 12))]
    )

    assert await pictures.inspect(double) == PictureFacts("image/jpeg", 40, 24)


async def test_looks_at_the_first_bytes_and_not_at_what_follows(pictures: PillowPictures) -> None:
    polyglot = samples.plain("PNG") + b"PK\x03\x04 and <script>"

    assert await pictures.inspect(polyglot) == PictureFacts("image/png", 40, 24)
    assert b"script" not in await pictures.convert(polyglot, "image/png")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
async def test_memory_of_the_server_stays_flat_with_a_hundred_at_once(pictures: PillowPictures) -> None:
    data = samples.bomb(7000, 7000)  # 49 megapixels, 140 MiB when decoded
    whole = samples.detailed("PNG", 600)
    await pictures.inspect(whole)
    before = resident_bytes()

    answers = await asyncio.gather(
        *(pictures.inspect(whole if number % 2 else data) for number in range(100)), return_exceptions=True
    )

    assert resident_bytes() - before < 64 * MIB
    assert sum(isinstance(answer, PictureFacts) for answer in answers) == 50
    assert sum(isinstance(answer, UnsupportedInputError) for answer in answers) == 50


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
async def test_preview_is_small_in_pixels_and_in_bytes(pictures: PillowPictures, file_format: str) -> None:
    made = await pictures.preview(samples.detailed(file_format, side=1200), 320, 9 * 1024)

    assert len(made) <= 9 * 1024
    assert shown(made).format == "WEBP"
    assert max(shown(made).size) <= 320


async def test_preview_enlarges_nothing_and_stands_upright(pictures: PillowPictures) -> None:
    assert shown(await pictures.preview(samples.plain("PNG"), 320, 9 * 1024)).size == (40, 24)
    assert shown(await pictures.preview(samples.lying(6), 320, 9 * 1024)).size == (24, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
async def test_preview_of_every_kind_of_png(pictures: PillowPictures, mode: str) -> None:
    made = await pictures.preview(samples.plain("PNG", width=640, height=400, mode=mode), 320, 9 * 1024)

    assert shown(made).size == (320, 200)


async def test_preview_gets_smaller_where_drawing_it_worse_is_not_enough(pictures: PillowPictures) -> None:
    made = await pictures.preview(samples.detailed("PNG", side=600), 320, 900)

    assert len(made) <= 900
    assert max(shown(made).size) < 320


async def test_preview_of_what_is_no_picture_is_refused(pictures: PillowPictures) -> None:
    with pytest.raises(UnsupportedInputError):
        await pictures.preview(samples.plain("PNG")[:60], 320, 9 * 1024)
