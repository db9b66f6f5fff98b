import time
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flow2api.domain.media import PictureFacts
from flow2api.domain.picture_size import picture_facts, turned

SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x00\x00\x00\x00WEBP", b"\x00\x00\x00\x18ftypisom")


def encoded(file_format: str, **options: object) -> bytes:
    file = BytesIO()
    Image.new("RGBA" if file_format != "JPEG" else "RGB", (321, 123)).save(file, file_format, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\x00\x00" + bytes(60_000), "icc_profile": bytes(200_000), "comment": b"x"}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"}),
    ],
)
def test_reads_the_size_of_what_programs_write(file_format: str, options: dict[str, object]) -> None:
    data = encoded(file_format, **options)

    assert picture_facts(data) == PictureFacts(f"image/{file_format.lower()}", 321, 123)


def test_reads_a_lossy_webp_without_transparency() -> None:
    file = BytesIO()
    Image.new("RGB", (321, 123)).save(file, "WEBP")

    assert file.getvalue()[12:16] == b"VP8 "
    assert picture_facts(file.getvalue()[:30]) == PictureFacts("image/webp", 321, 123)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_needs_only_the_first_bytes(file_format: str) -> None:
    data = encoded(file_format)

    assert picture_facts(data[:30]) is not None
    assert picture_facts(data[:20]) is None


def test_wants_more_of_a_jpeg_that_begins_with_metadata() -> None:
    data = encoded("JPEG", exif=b"Exif\x00\x00" + bytes(20_000))

    assert picture_facts(data[:1000]) is None
    assert picture_facts(data[:21_000]) == PictureFacts("image/jpeg", 321, 123)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(60),
        b"\x00\x00\x00\x18ftypisom" + bytes(60),
        b"\x89PNG\r\n\x1a\n" + bytes(60),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(8),
        b"RIFF\x00\x00\x00\x00WEBPVP8Z" + bytes(60),
        b"\xff\xd8\xff\xd9" + bytes(60),
    ],
)
def test_knows_nothing_of_other_bytes(data: bytes) -> None:
    assert picture_facts(data) is None


@given(st.sampled_from(SIGNATURES), st.binary(max_size=200))
def test_survives_any_bytes(signature: bytes, rest: bytes) -> None:
    facts = picture_facts(signature + rest)

    assert facts is None or (facts.width > 0 and facts.height > 0)


@pytest.mark.parametrize("filling", [b"\xff\xe0\x00\x02", b"\xff\xd0", b"\xff", b"\xff\xe0\x00\x00"])
def test_walks_no_further_through_a_hostile_jpeg_than_it_must(filling: bytes) -> None:
    hostile = b"\xff\xd8" + filling * (12_000_000 // len(filling))

    def seconds() -> float:
        began = time.process_time()
        assert picture_facts(hostile) is None
        return time.process_time() - began

    assert min(seconds() for _ in range(5)) < 0.02


@pytest.mark.parametrize("orientation", range(-1, 12))
def test_turns_what_lies_on_its_side(orientation: int) -> None:
    lies = 5 <= orientation <= 8

    assert turned(3, 2, orientation) == ((2, 3) if lies else (3, 2))
