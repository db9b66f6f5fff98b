"""Pictures and videos to look at, made when they are needed."""

import struct
import zlib
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
from PIL import Image, ImageCms

ORIENTATION = 0x0112
RED = (200, 30, 30)


def encoded(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def plain(file_format: str = "PNG", width: int = 40, height: int = 24, mode: str = "RGB", **options: Any) -> bytes:
    return encoded(Image.new(mode, (width, height)), file_format, **options)


def detailed(file_format: str = "JPEG", side: int = 200, **options: Any) -> bytes:
    """Noise: no part of the file can be missed."""
    return encoded(Image.effect_noise((side, side), 90).convert("RGB"), file_format, **options)


def lying(orientation: int, file_format: str = "JPEG") -> bytes:
    """40 x 24 as stored, its left half red, with a note how to turn it."""
    image = Image.new("RGB", (40, 24), (255, 255, 255))
    image.paste(RED, (0, 0, 20, 24))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010E] = "where I live"
    return encoded(image, file_format, exif=exif, **({"quality": 95} if file_format == "JPEG" else {"lossless": True}))


def animated(file_format: str) -> bytes:
    first, second = Image.new("RGB", (8, 8)), Image.new("RGB", (8, 8), RED)
    return encoded(first, file_format, save_all=True, append_images=[second], duration=100)


def bomb(width: int, height: int) -> bytes:
    """A PNG of less than a kilobyte that claims this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def webp_claiming(width: int, height: int) -> bytes:
    """A WebP whose canvas is said to be of this size."""
    body = bytearray(lying(1, "WEBP"))
    assert body[12:16] == b"VP8X"
    body[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(body)


def profile() -> bytes:
    made: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made


def video(frames: int = 48, width: int = 320, height: int = 180, rate: int = 24, *, sound: bool = True) -> bytes:
    """A clip that goes from black to white."""
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        pictures = container.add_stream("libx264", rate=rate)
        pictures.width, pictures.height, pictures.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream("aac", rate=48_000) if sound else None
        for number in range(frames):
            grey = number * 255 // max(1, frames - 1)
            picture = Image.new("RGB", (width, height), (grey, grey, grey))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode())
        if audio is not None:
            container.mux(audio.encode())
    return file.getvalue()
