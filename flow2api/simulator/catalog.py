"""The model keys that the played upstream knows, per wire era, and what they cost."""

from importlib.resources import files

import msgspec
from msgspec import Struct

from flow2api.simulator.control_schema import Era, Tier

TIERS: tuple[Tier, ...] = ("PAYGATE_TIER_NOT_PAID", "PAYGATE_TIER_ONE", "PAYGATE_TIER_TWO")
UPSCALE_PRICE, QUALITY_PRICE, FAST_PRICE, LITE_PRICE = 50, 100, 20, 10
OMNI_PRICES = {4: 15, 6: 20, 8: 25, 10: 30}


class ModelKey(Struct, frozen=True):
    """What a model key may be asked for.

    Attributes:
        kind: ``image`` or ``video``.
        modes: ``t2i``, ``t2v``, ``i2v``, ``r2v``, ``extend``, ``upscale``.
        ratios: Aspect ratios without their prefix, such as ``LANDSCAPE``.
        tier: The least tier that may use it.
        seconds: Length of its videos.
        frames: Least and greatest number of frame pictures (i2v).
        references: Greatest number of reference pictures.
    """

    kind: str
    modes: tuple[str, ...]
    ratios: frozenset[str]
    tier: Tier
    seconds: int = 8
    frames: tuple[int, int] = (0, 0)
    references: int = 0


def load_model_keys() -> dict[Era, dict[str, ModelKey]]:
    """Reads the packaged list."""
    content = files("flow2api.simulator").joinpath("model_keys.json").read_bytes()
    return msgspec.json.decode(content, type=dict[Era, dict[str, ModelKey]])


def may_use(tier: Tier, least: Tier) -> bool:
    """Whether an account of ``tier`` has access to what asks for ``least``."""
    return TIERS.index(tier) >= TIERS.index(least)


def price(name: str, key: ModelKey, tier: Tier) -> int:
    """Credits for one result (Flow, 2025-12 to 2026-06; quality, lite and upscale rest on one reading each)."""
    if key.kind == "image" or "relaxed" in name:
        return 0
    if "upscale" in key.modes:
        return UPSCALE_PRICE
    if name.startswith("abra_"):
        return OMNI_PRICES.get(key.seconds, 25)
    if "lite" in name:
        return LITE_PRICE
    if "fast" in name or "extend" in name:
        return FAST_PRICE // 2 if tier == "PAYGATE_TIER_TWO" else FAST_PRICE
    return QUALITY_PRICE
