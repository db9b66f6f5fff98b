"""The packaged list of Flow's models (readings of 2025-11 to 2026-07), and how a record of it becomes a model.

``models.json`` groups the models by line. What a line says holds for all of its models:

- ``mode``: how Flow is asked: ``t2i``, ``t2v``, ``i2v``, ``r2v``, ``extend``, ``omni``, ``upsample``.
- ``kind``: what they make.
- ``images``: least and greatest number of input pictures. Flow's own front end sets no limit for pictures; 10 is what
  users reported to work.
- ``credits``: price of one result by plan, as far as it was observed; quality's 100 is a guess. Empty where it is free.

``bases`` are the names for whole lines, ``retired`` the withdrawn ids with the model that took over.
"""

from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from flow2api.domain.account import Tier
from flow2api.domain.catalog import (
    FOUR_THREE,
    LANDSCAPE,
    PORTRAIT,
    SQUARE,
    THREE_FOUR,
    Alias,
    BaseName,
    Entry,
    Mode,
    ModelSpec,
    Size,
)
from flow2api.domain.media import MediaKind

UPSTREAM = "flow"
ENLARGING_CREDITS = 50
"""What enlarging a video costs on top (one reading, 2026); enlarging pictures is free."""

REPEATED_S = 1
"""What an extension begins with: the last second of the video before (2026-03-30)."""

_MODES = {
    "t2i": Mode.TEXT,
    "t2v": Mode.TEXT,
    "i2v": Mode.FRAMES,
    "r2v": Mode.REFERENCES,
    "extend": Mode.EXTEND,
    "omni": Mode.TEXT,
    "upsample": Mode.ENLARGE,
}
_RATIOS = {
    "LANDSCAPE": LANDSCAPE,
    "PORTRAIT": PORTRAIT,
    "SQUARE": SQUARE,
    "LANDSCAPE_FOUR_THREE": FOUR_THREE,
    "PORTRAIT_THREE_FOUR": THREE_FOUR,
}
# Landscape and portrait were seen in captures; the others are the sizes that the same model family makes elsewhere.
_PICTURE_SIZES = {
    "LANDSCAPE": Size(1376, 768),
    "PORTRAIT": Size(768, 1376),
    "SQUARE": Size(1024, 1024),
    "LANDSCAPE_FOUR_THREE": Size(1184, 864),
    "PORTRAIT_THREE_FOUR": Size(864, 1184),
}
_PICTURE_SCALE = {None: 1, "2k": 2, "4k": 4}
_VIDEO_HEIGHTS = {None: 720, "1080p": 1080, "4k": 2160}


class ModelRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """One model.

    Attributes:
        ratio: Flow's word for the ratio, without its prefix.
        resolution: ``2k``, ``4k``, ``1080p`` where the result is enlarged in a second call.
        key: What Flow calls the model since 2026-02.
        seed_key: What it, or the model whose place it took, was called in 2025-12; None where there was none.
        ultra_key: What an Ultra account asks for instead.
        single_key: What is asked for when only a start frame comes (not in 2025-12).
        single_ultra_key: The same for an Ultra account.
        reference_key: What is asked for when reference pictures come.
        v2: The call carries ``useV2ModelConfig``.
        tier: The least plan, by name.
        since: Day on which the name appeared.
    """

    name: str
    ratio: str
    key: str
    since: date
    resolution: str | None = None
    seconds: int | None = None
    seed_key: str | None = None
    ultra_key: str | None = None
    single_key: str | None = None
    single_ultra_key: str | None = None
    reference_key: str | None = None
    v2: bool = False
    tier: str = "FREE"
    same_as: str | None = None


class LineRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """Models that differ only in ratio, resolution or length."""

    line: str
    mode: str
    kind: MediaKind
    images: tuple[int, int]
    credits: dict[str, int]
    models: tuple[ModelRecord, ...]


class BaseRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A name for a line; ``resolution`` and ``seconds`` are what it stands for when a request names none."""

    name: str
    line: str
    resolution: str | None = None
    seconds: int | None = None


class ModelList(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    lines: tuple[LineRecord, ...]
    bases: tuple[BaseRecord, ...]
    retired: dict[str, str]


def load_entries() -> list[Entry]:
    """Reads the packaged list: base names, models, and the retired ids as aliases."""
    content = files(__package__).joinpath("models.json").read_bytes()
    listed = msgspec.json.decode(content, type=ModelList)
    entries: list[Entry] = [BaseName(base.name, base.line, base.resolution, base.seconds) for base in listed.bases]
    entries += [_spec(line, model) for line in listed.lines for model in line.models]
    entries += [Alias(name, {None: successor}, retired=True) for name, successor in listed.retired.items()]
    return entries


def _spec(line: LineRecord, model: ModelRecord) -> ModelSpec:
    return ModelSpec(
        name=model.name,
        upstream=UPSTREAM,
        kind=line.kind,
        mode=_MODES[line.mode],
        line=line.line,
        aspect_ratio=_RATIOS[model.ratio],
        size=_size(line.kind, model),
        resolution=model.resolution,
        seconds=model.seconds,
        repeats_s=REPEATED_S if line.mode == "extend" else 0,
        min_images=line.images[0],
        max_images=line.images[1],
        min_tier=Tier[model.tier],
        costs=_costs(line, model),
        wire=_wire(line, model),
        created_at=int(datetime.combine(model.since, time(), UTC).timestamp()),
        same_as=model.same_as,
    )


def _size(kind: MediaKind, model: ModelRecord) -> Size:
    if kind is MediaKind.IMAGE:
        native, scale = _PICTURE_SIZES[model.ratio], _PICTURE_SCALE[model.resolution]
        return Size(native.width * scale, native.height * scale)
    short = _VIDEO_HEIGHTS[model.resolution]
    return Size(short * 16 // 9, short) if model.ratio == "LANDSCAPE" else Size(short, short * 16 // 9)


def _costs(line: LineRecord, model: ModelRecord) -> dict[Tier, int]:
    extra = ENLARGING_CREDITS if line.kind is MediaKind.VIDEO and model.resolution else 0
    prices = {Tier[plan]: price + extra for plan, price in line.credits.items()}
    return prices or ({Tier.FREE: extra} if extra else {})


def _wire(line: LineRecord, model: ModelRecord) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "mode": line.mode,
        "keys": {"2026-06": model.key},
        "aspect": f"{line.kind.upper()}_ASPECT_RATIO_{model.ratio}",
        "v2_model_config": model.v2,
        "enlarge": _enlarge(line.kind, model.resolution),
    }
    if model.seed_key:
        wire["keys"]["seed"] = model.seed_key
    if model.ultra_key:
        wire["key_by_tier"] = {"PRO": model.key, "ULTRA": model.ultra_key}
    if model.single_key:
        wire["single_image_key"] = model.single_key
    if model.single_ultra_key:
        wire["single_image_key_by_tier"] = {"PRO": model.single_key, "ULTRA": model.single_ultra_key}
    if model.reference_key:
        wire["reference_key"] = model.reference_key
    return wire


def _enlarge(kind: MediaKind, resolution: str | None) -> dict[str, str] | None:
    if resolution is None:
        return None
    if kind is MediaKind.IMAGE:
        return {"target": f"UPSAMPLE_IMAGE_RESOLUTION_{resolution.upper()}"}
    return {"target": f"VIDEO_RESOLUTION_{resolution.upper()}", "key": f"veo_3_1_upsampler_{resolution}"}
