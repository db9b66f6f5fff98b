"""Models of OpenAI-compatible hosts as they are written down, by us or by an operator, and what becomes of them in the catalog."""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any, Literal

import msgspec

from flow2api.adapters.openai_media.model_wire import Scalar
from flow2api.domain.account import Tier
from flow2api.domain.catalog import (
    FOUR_THREE,
    LANDSCAPE,
    PORTRAIT,
    SQUARE,
    THREE_FOUR,
    AspectRatio,
    BaseName,
    CostUnit,
    Entry,
    Masks,
    Mode,
    ModelSpec,
    Size,
    ratio_distance,
)
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.media import MediaKind
from flow2api.domain.parameters import SAME_RATIO

UPSTREAM = "openai"
_USUAL_RATIOS = (
    SQUARE, LANDSCAPE, PORTRAIT, FOUR_THREE, THREE_FOUR,
    AspectRatio(3, 2), AspectRatio(2, 3), AspectRatio(5, 4), AspectRatio(4, 5), AspectRatio(7, 3),
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
_LARGER: Mapping[MediaKind, tuple[tuple[int, str], ...]] = {
    MediaKind.IMAGE: ((2800, "4k"), (1900, "2k")),
    MediaKind.VIDEO: ((1500, "4k"), (1000, "1080p")),
}
"""From how many pixels on a size has a word for its resolution: of the longer side of pictures, of the shorter one of videos."""

Price = Annotated[float, msgspec.Meta(ge=0, le=10_000)]
Prices = Price | dict[str, Price]
"""One for all sizes, or one for each."""

Quality = Literal["low", "medium", "high", "xhigh", "max"]


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of a host.

    Attributes:
        name: The public name here. No other model or alias may have it.
        kind: ``image`` or ``video``.
        sizes: Pixels that it makes, such as ``1536x1024``.
        price_usd: Dollars for one picture, or for one second of video; or such a price for each size. 0 says that it is free,
            and that a request whose answer is lost may be sent again: give a guess rather than 0 for what is paid for.
        qualities: The words for ``quality`` that the host takes for a picture, each with its prices, in place of
            ``price_usd``. The first is made when a request names none.
        id: What the host calls it; the same as ``name`` when it is left out.
        seconds: Lengths of videos that it makes.
        min_images: How many input pictures it needs.
        extends: It goes on from a video that the same host has made; ``seconds`` are what is added.
        remixes: It changes a video that the same host has made, as a prompt says; ``seconds`` are the lengths of such videos.
        masks: It takes a ``mask`` along with the pictures.
        max_images: How many it takes; above 0, pictures are sent to ``/images/edits``, or along with the video.
        response_format: ``b64_json`` or ``url``, where the host wants it said.
        seed: Whether the host takes a ``seed``.
        extra: Further fields that go along with every request, such as ``background``.
        created_at: Unix seconds since when it is offered.
    """

    name: str
    kind: Literal["image", "video"]
    sizes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=32)]
    price_usd: Prices | None = None
    qualities: dict[Quality, Prices] = {}
    id: Annotated[str, msgspec.Meta(max_length=200)] = ""
    seconds: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=60)], ...], msgspec.Meta(max_length=16)] = ()
    min_images: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    max_images: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    extends: bool = False
    remixes: bool = False
    masks: bool = False
    response_format: Literal["b64_json", "url"] | None = None
    seed: bool = False
    extra: dict[str, Scalar] = {}
    created_at: Annotated[int, msgspec.Meta(ge=0)] = 0


def entries_of(record: ModelRecord) -> Iterator[Entry]:
    """A model for each size, length and quality, and a name for all of them where there are several.

    Raises:
        ConfigurationError: The record cannot be right; the message names it.
    """
    kind = MediaKind(record.kind)
    _check(record, kind)
    sizes = [_size(record, text) for text in record.sizes]
    shapes = list(product(sizes, record.seconds or (None,), record.qualities or (None,)))
    if len(shapes) == 1:
        yield _spec(record, record.name, *shapes[0])
        return
    specs = [_spec(record, _name(record, *shape), *shape) for shape in shapes]
    seen: dict[object, str] = {}
    for spec in specs:
        other = seen.setdefault((spec.aspect_ratio, spec.resolution, spec.seconds, spec.quality), spec.name)
        if other != spec.name:
            raise _wrong(record, f"{other} and {spec.name} have the same ratio and resolution; leave one of them out")
    yield BaseName(record.name, _line(record), seconds=record.seconds[0] if record.seconds else None)
    yield from specs


def _check(record: ModelRecord, kind: MediaKind) -> None:
    if not _NAME.fullmatch(record.name):
        raise _wrong(record, "a name has up to 100 letters, digits, dots, dashes and underscores")
    if (kind is MediaKind.VIDEO) != bool(record.seconds):
        raise _wrong(record, "videos have `seconds`, and pictures have none")
    if (record.extends or record.remixes) and (kind is not MediaKind.VIDEO or record.max_images):
        raise _wrong(record, "only videos extend or remix, and they take no pictures along")
    if record.extends and record.remixes:
        raise _wrong(record, "it either extends or remixes; give each a table of its own with the same `id`")
    if record.masks and (kind is not MediaKind.IMAGE or not record.max_images):
        raise _wrong(record, "masks belong to pictures that are made from pictures")
    if record.min_images > record.max_images:
        raise _wrong(record, "`min_images` is more than `max_images`")
    if len(set(record.sizes)) < len(record.sizes) or len(set(record.seconds)) < len(record.seconds):
        raise _wrong(record, "a size or length stands there twice")
    if (record.price_usd is None) is not bool(record.qualities):
        raise _wrong(record, "it has either `price_usd`, or a price for each of its `qualities`")
    if record.qualities and (kind is not MediaKind.IMAGE or "quality" in record.extra):
        raise _wrong(record, "`qualities` are of pictures, and `extra` has none beside them")
    for field, prices in (("price_usd", record.price_usd), *record.qualities.items()):
        if isinstance(prices, dict) and (unpriced := set(record.sizes) ^ set(prices)):
            raise _wrong(record, f"`sizes` and `{field}` differ in {', '.join(sorted(unpriced))}")


def _size(record: ModelRecord, text: str) -> Size:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise _wrong(record, f"{text[:40]!r} is no size; it looks like 1536x1024")
    return Size(int(found[1]), int(found[2]))


def _spec(record: ModelRecord, name: str, size: Size, seconds: int | None, quality: Quality | None) -> ModelSpec:
    kind = MediaKind(record.kind)
    resolution = _resolution(kind, size)
    prices = record.price_usd if quality is None else record.qualities[quality]
    price = prices[str(size)] if isinstance(prices, dict) else prices or 0.0
    millis = math.ceil(round(price * (seconds or 1) * 1000, 6))  # a price above nothing is never shown as nothing
    return ModelSpec(
        name=name,
        upstream=UPSTREAM,
        kind=kind,
        mode=Mode.EXTEND if record.extends else Mode.EDIT if record.remixes else Mode.TEXT,
        remixes=record.remixes,
        masks=Masks.TAKEN if record.masks else Masks.REFUSED,
        line=_line(record),
        aspect_ratio=_ratio(size),
        size=size,
        resolution=resolution,
        quality=quality,
        at_once=resolution is not None,
        seconds=seconds,
        min_images=record.min_images,
        max_images=record.max_images,
        costs={Tier.FREE: millis} if millis else {},
        cost_unit=CostUnit.USD_MILLIS,
        limited_as=f"{UPSTREAM}:{record.id or record.name}",
        wire=_wire(record, size, quality),
        created_at=record.created_at,
    )


def _wire(record: ModelRecord, size: Size, quality: Quality | None) -> dict[str, Any]:
    wire: dict[str, Any] = {"id": record.id or record.name, "size": str(size)}
    if quality is not None:
        wire["quality"] = quality
    if record.response_format is not None:
        wire["response_format"] = record.response_format
    if record.seed:
        wire["has_seed"] = True
    return {**wire, "extra": dict(record.extra)} if record.extra else wire


def _name(record: ModelRecord, size: Size, seconds: int | None, quality: Quality | None) -> str:
    """What is made when a request names no quality is not named for it."""
    parts = [record.name]
    parts += [str(size)] if len(record.sizes) > 1 else []
    parts += [f"{seconds}s"] if len(record.seconds) > 1 else []
    parts += [quality] if quality is not None and quality != next(iter(record.qualities)) else []
    return "-".join(parts)


def _line(record: ModelRecord) -> str:
    return f"{UPSTREAM}:{record.name}"


def _ratio(size: Size) -> AspectRatio:
    wanted = size.width / size.height
    usual = min(_USUAL_RATIOS, key=lambda ratio: ratio_distance(ratio, wanted))
    return usual if ratio_distance(usual, wanted) <= SAME_RATIO else AspectRatio.of(size.width, size.height)


def _resolution(kind: MediaKind, size: Size) -> str | None:
    side = max(size.width, size.height) if kind is MediaKind.IMAGE else min(size.width, size.height)
    return next((word for least, word in _LARGER[kind] if side >= least), None)


def _wrong(record: ModelRecord, why: str) -> ConfigurationError:
    return ConfigurationError(f"The model {record.name[:100]!r} cannot be offered: {why}.")
