"""The packaged list of the Gemini API's models (readings of 2026-11), and how a record of it becomes models.

A record stands for a whole line: one model for each ratio, resolution and length that it makes.

- ``prices``: of one picture by resolution, ``prices_per_s``: of a second of video; in thousandths of a dollar, as published or
  told in 2026. Those of gemini-3.1-flash-image are published; the others are unconfirmed, and those of gemini-nano-banana-2.1 are
  taken to be its forerunner's. An extension is paid for by the seconds that it adds.
- ``since``: when the name appeared, as far as that is known.
- ``ways``: what a video can be made from; each is a line of its own where there are several. The first of its lengths is what is
  made when a request names none.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any, Literal

import msgspec
from msgspec import Struct

from flow2api.domain.account import Tier
from flow2api.domain.catalog import Alias, AspectRatio, BaseName, CostUnit, Entry, Masks, Mode, ModelSpec, Size
from flow2api.domain.media import MediaKind

UPSTREAM = "gemini"
PREFIX = "google-"

_SIZES = {
    "16:9": Size(1376, 768),
    "1:1": Size(1024, 1024),
    "2:3": Size(848, 1264),
    "3:2": Size(1264, 848),
    "3:4": Size(896, 1200),
    "4:3": Size(1200, 896),
    "4:5": Size(928, 1152),
    "5:4": Size(1152, 928),
    "9:16": Size(768, 1376),
    "21:9": Size(1584, 672),
    "1:4": Size(512, 2048),
    "4:1": Size(2048, 512),
    "1:8": Size(384, 3072),
    "8:1": Size(3072, 384),
}
"""Ratios with their pixels at 1K; the first is that of who names none."""

_RATIOS = {
    "all": tuple(_SIZES),
    "common": tuple(_SIZES)[:10],
    "imagen": ("16:9", "1:1", "3:4", "4:3", "9:16"),
}
_SCALES = {"512": 0.5, "1k": 1.0, "2k": 2.0, "4k": 4.0}
_HEIGHTS = {"720p": 720, "1080p": 1080, "4k": 2160}
_NATIVE = ("1k", "720p")
_HIGH_QUALITY = "2k"


class PictureRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A model that makes pictures; ``images`` is how many it takes at most."""

    id: str
    since: date
    ratios: Literal["all", "common", "imagen"]
    images: int
    prices: dict[str, int]
    method: Literal["generateContent", "predict"] = "generateContent"


class WayRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """One way to begin a video; ``seconds`` are the lengths by resolution."""

    mode: Mode
    images: tuple[int, int]
    seconds: dict[str, tuple[int, ...]]


class VideoRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A model that makes videos; ``name`` is what it is called here, without the prefix."""

    id: str
    name: str
    since: date
    method: Literal["predictLongRunning", "interactions"]
    prices_per_s: dict[str, int]
    ways: tuple[WayRecord, ...]


class ModelList(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    pictures: tuple[PictureRecord, ...]
    videos: tuple[VideoRecord, ...]


def load_entries() -> list[Entry]:
    """Reads the packaged list."""
    listed = msgspec.json.decode(files(__package__).joinpath("models.json").read_bytes(), type=ModelList)
    return [
        *(entry for record in listed.pictures for entry in _pictures(record)),
        *(entry for record in listed.videos for entry in _videos(record)),
    ]


def _pictures(record: PictureRecord) -> Iterator[Entry]:
    line = PREFIX + record.id
    yield BaseName(line, line)
    for resolution, price in record.prices.items():
        for ratio in _RATIOS[record.ratios]:
            size, scale = _SIZES[ratio], _SCALES[resolution]
            yield ModelSpec(
                name=_name(line, ratio, resolution),
                kind=MediaKind.IMAGE,
                mode=Mode.TEXT,
                line=line,
                size=Size(int(size.width * scale), int(size.height * scale)),
                is_high_quality=resolution == _HIGH_QUALITY,
                max_images=record.images,
                masks=Masks.REFUSED,
                **_shared(record.id, record.method, record.since, ratio, resolution, price),
            )


def _videos(record: VideoRecord) -> Iterator[Entry]:
    name = PREFIX + record.name
    # To edit a video has a name of its own: it is asked for by another call, and not told by what comes along.
    others = [way for way in record.ways if way.mode is not Mode.EDIT]
    lines: dict[Mode | None, str] = {way.mode: name if [way] == others else f"{name}-{way.mode}" for way in record.ways}
    if len(others) > 1:
        yield Alias(name, {None: lines[Mode.TEXT], **lines})
    for way in record.ways:
        line = lines[way.mode]
        yield BaseName(line, line, seconds=next(iter(way.seconds.values()))[0])
        for resolution, lengths in way.seconds.items():
            for seconds in lengths:
                for ratio in ("16:9", "9:16"):
                    price = record.prices_per_s[resolution] * seconds
                    yield ModelSpec(
                        name=f"{_name(line, ratio, resolution)}-{seconds}s",
                        kind=MediaKind.VIDEO,
                        mode=way.mode,
                        line=line,
                        size=_video_size(ratio, resolution),
                        seconds=seconds,
                        min_images=way.images[0],
                        max_images=way.images[1],
                        **_shared(record.id, record.method, record.since, ratio, resolution, price),
                    )


def _shared(model: str, method: str, since: date, ratio: str, resolution: str, price: int) -> dict[str, Any]:
    """What is alike for pictures and videos."""
    is_native = resolution in _NATIVE
    width, _, height = ratio.partition(":")
    # Pictures have a capital K, videos a small one; what is made anyway is not named.
    size = "" if is_native else resolution.upper() if method in ("generateContent", "predict") else resolution
    return {
        "upstream": UPSTREAM,
        "aspect_ratio": AspectRatio.of(int(width), int(height)),
        "resolution": None if is_native else resolution,
        "at_once": True,
        "costs": {Tier.FREE: price},
        "cost_unit": CostUnit.USD_MILLIS,
        "limited_as": f"{UPSTREAM}:{model}",
        "wire": {"model": model, "method": method, "ratio": ratio, "size": size},
        "created_at": int(datetime.combine(since, time(), UTC).timestamp()),
    }


def _name(line: str, ratio: str, resolution: str) -> str:
    shape = ratio.replace(":", "x")
    return f"{line}-{shape}" if resolution in _NATIVE else f"{line}-{shape}-{resolution}"


def _video_size(ratio: str, resolution: str) -> Size:
    short = _HEIGHTS[resolution]
    long = short * 16 // 9
    return Size(long, short) if ratio == "16:9" else Size(short, long)
