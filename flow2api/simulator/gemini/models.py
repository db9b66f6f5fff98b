"""Which models are played, and what each can be asked for.

Names and limits: the Gemini API's model pages, 2026-11; Imagen as it was served until 2026-08.
"""

from dataclasses import dataclass
from typing import Literal

Method = Literal["generateContent", "predict", "predictLongRunning", "interactions"]
RATIOS = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
"""Ratios of pictures with their pixels at 1K."""
SCALES = {"512": 0.5, "1K": 1.0, "2K": 2.0, "4K": 4.0}
HEIGHTS = {"360p": 360, "720p": 720, "1080p": 1080, "4k": 2160}
COMMON = tuple(RATIOS)[:10]


@dataclass(frozen=True, slots=True)
class PlayedModel:
    """One model.

    Attributes:
        sizes: Words for the resolution that it takes.
        seconds: Lengths of videos that it makes.
        references: How many input pictures it takes at most.
        extends: It goes on from videos that it has made.
    """

    method: Method
    sizes: tuple[str, ...]
    ratios: tuple[str, ...]
    references: int
    seconds: tuple[int, ...] = ()
    extends: bool = False


_WIDE_TALL = ("16:9", "9:16")
_IMAGEN = ("1:1", "3:4", "4:3", "9:16", "16:9")
MODELS = {
    "gemini-3.1-flash-image": PlayedModel("generateContent", ("512", "1K", "2K", "4K"), tuple(RATIOS), 14),
    "gemini-3-pro-image": PlayedModel("generateContent", ("1K", "2K", "4K"), COMMON, 14),
    "gemini-3.1-flash-lite-image": PlayedModel("generateContent", ("1K",), COMMON, 14),
    "gemini-nano-banana-2.1": PlayedModel("generateContent", ("512", "1K", "2K", "4K"), tuple(RATIOS), 14),
    "imagen-4.0-generate-001": PlayedModel("predict", ("1K", "2K"), _IMAGEN, 0),
    "imagen-4.0-fast-generate-001": PlayedModel("predict", ("1K",), _IMAGEN, 0),
    "imagen-4.0-ultra-generate-001": PlayedModel("predict", ("1K", "2K"), _IMAGEN, 0),
    "veo-3.1-generate-preview": PlayedModel(
        "predictLongRunning", ("720p", "1080p", "4k"), _WIDE_TALL, 3, (4, 6, 8), extends=True
    ),
    "veo-3.1-fast-generate-preview": PlayedModel(
        "predictLongRunning", ("720p", "1080p", "4k"), _WIDE_TALL, 3, (4, 6, 8), extends=True
    ),
    "veo-3.1-lite-generate-preview": PlayedModel("predictLongRunning", ("720p", "1080p"), _WIDE_TALL, 0, (4, 6, 8)),
    "gemini-omni-1.1-flash": PlayedModel("interactions", ("720p",), _WIDE_TALL, 5, tuple(range(3, 11))),
    "gemini-omni-1.2-flash": PlayedModel("interactions", ("720p",), _WIDE_TALL, 5, tuple(range(3, 11))),
}
