"""What goes through the pipes between the server and a worker process.

A message is a frame: its length in four bytes, then MessagePack. A job is followed by the bytes that it is about, in
frames of their own, and an empty one; an answer by one frame with what was made, which may be empty. Neither side
trusts the other to build objects: there is no pickle here.
"""

from typing import Literal

import msgspec

from flow2api.adapters.imaging.limits import PictureLimits

CHUNK_BYTES = 256 * 1024
"""The largest frame of input."""

MAX_RESULT_BYTES = 64 * 1024 * 1024
"""The largest thing that is taken back from a worker."""

PictureType = Literal["image/png", "image/jpeg", "image/webp"]


class Inspect(msgspec.Struct, frozen=True, tag="inspect"):
    """Decode a picture to prove it whole, and tell its facts."""

    limits: PictureLimits


class Convert(msgspec.Struct, frozen=True, tag="convert"):
    """Write a picture anew, upright, without metadata."""

    limits: PictureLimits
    content_type: PictureType
    quality: int | None = None


class Preview(msgspec.Struct, frozen=True, tag="preview"):
    """A picture, small, as WebP."""

    limits: PictureLimits
    max_side_px: int
    max_bytes: int


class Thumbnail(msgspec.Struct, frozen=True, tag="thumbnail"):
    """One frame of a video as WebP."""

    max_side_px: int


class Spritesheet(msgspec.Struct, frozen=True, tag="spritesheet"):
    """Frames of a video from its beginning to its end, side by side, row by row, as JPEG."""

    columns: int
    rows: int
    tile_width_px: int


PictureTask = Inspect | Convert | Preview
Task = Inspect | Convert | Preview | Thumbnail | Spritesheet


class Job(msgspec.Struct, frozen=True):
    """A task and the seconds after which the worker ends itself, whether or not anybody still watches it."""

    task: Task
    time_limit_s: float


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """What a picture is, as it is seen: rotated as its metadata asks."""

    content_type: str
    width: int
    height: int


class Made(msgspec.Struct, frozen=True, tag="made"):
    """The result follows."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The input is to blame; the message may be shown to a caller."""

    code: str
    message: str


Answer = Facts | Made | Refused

encode = msgspec.msgpack.Encoder().encode
decode_job = msgspec.msgpack.Decoder(Job).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


def frame_length(size: int) -> bytes:
    """What stands before a frame of that many bytes."""
    return size.to_bytes(4, "big")
