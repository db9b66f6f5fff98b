"""PyAV's part of a worker process: stills of a video, made of one pass over its frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import Image

from flow2api.adapters.imaging.refusals import PictureRefusedError

_CODECS = frozenset({"h264", "hevc", "av1", "libdav1d", "libaom-av1", "vp9", "libvpx-vp9", "mpeg4"})
_MAX_FRAME_PIXELS = 7680 * 4320


def thumbnail(file: IO[bytes], max_side_px: int) -> bytes:
    """The first frame as WebP, no side longer than that.

    Raises:
        PictureRefusedError: It is no video that can be decoded.
    """
    with _opened(file) as (container, stream):
        frame = next(_frames(container, stream), None)
        if frame is None:
            raise _undecodable()
        scale = min(1.0, max_side_px / max(frame.width, frame.height))
        return _encoded(_picture(frame, _scaled(frame.width, scale), _scaled(frame.height, scale)), "WEBP")


def spritesheet(file: IO[bytes], columns: int, rows: int, tile_width_px: int) -> bytes:
    """Frames at even distances in time, row by row, as JPEG.

    Raises:
        PictureRefusedError: It is no video that can be decoded.
    """
    with _opened(file) as (container, stream):
        tile_height_px = _scaled(stream.height, tile_width_px / stream.width)
        sheet = Image.new("RGB", (columns * tile_width_px, rows * tile_height_px))
        step_s = _duration_s(container, stream) / (columns * rows)
        place = 0
        tile = None
        for frame in _frames(container, stream):
            if place < columns * rows and (tile is None or (frame.time or 0.0) >= place * step_s):
                tile = _picture(frame, tile_width_px, tile_height_px)
                sheet.paste(tile, _corner(place, columns, tile))
                place += 1
        if tile is None:
            raise _undecodable()
        for rest in range(place, columns * rows):
            sheet.paste(tile, _corner(rest, columns, tile))
        return _encoded(sheet, "JPEG")


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The video's stream of pictures. Only MP4 is tried: other demuxers open further files or addresses."""
    try:
        with av.open(file, "r", format="mp4") as container:
            if not container.streams.video:
                raise _undecodable()
            stream = container.streams.video[0]
            if stream.codec_context.name not in _CODECS or not 0 < stream.width * stream.height <= _MAX_FRAME_PIXELS:
                raise _undecodable()
            stream.codec_context.thread_count = 1
            yield container, stream
    except (av.FFmpegError, ValueError, OverflowError) as cause:
        raise _undecodable() from cause


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Frames as far as they can be decoded: a cut video still has its beginning."""
    try:
        yield from container.decode(stream)
    except av.FFmpegError:
        return


def _picture(frame: VideoFrame, width: int, height: int) -> Image.Image:
    picture: Image.Image = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]
    return picture


def _duration_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _corner(place: int, columns: int, tile: Image.Image) -> tuple[int, int]:
    return place % columns * tile.width, place // columns * tile.height


def _scaled(side: int, scale: float) -> int:
    return max(2, round(side * scale / 2) * 2)


def _encoded(image: Image.Image, file_format: str) -> bytes:
    made = BytesIO()
    image.save(made, file_format, quality=80)
    return made.getvalue()


def _undecodable() -> PictureRefusedError:
    return PictureRefusedError("media_gone", "The video's bytes cannot be decoded.")
