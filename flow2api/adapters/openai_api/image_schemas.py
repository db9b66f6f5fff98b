"""What comes in and goes out at ``/images``."""

import math
from typing import Annotated, Literal

import msgspec

Compression = Annotated[int, msgspec.Meta(ge=0, le=100)]
PartialImages = Annotated[int, msgspec.Meta(ge=0, le=3)]

ALWAYS_BASE64 = ("gpt-image", "chatgpt-image")
"""Models under these names never answer with links at OpenAI, and clients rely on it."""


class ImagesIn(msgspec.Struct):
    """The fields of a picture request that this door reads itself."""

    prompt: str
    model: str | None = None
    response_format: Literal["url", "b64_json"] | None = None
    output_format: Literal["png", "webp", "jpeg"] | None = None
    output_compression: Compression | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    stream: bool | None = None
    partial_images: PartialImages | None = None

    @property
    def wants_links(self) -> bool:
        """Whether the answer holds links in place of the pictures themselves; it is the name that was asked for that counts."""
        return self.response_format == "url" and not (self.model or "").startswith(ALWAYS_BASE64)

    @property
    def fields_without_effect(self) -> frozenset[str]:
        """Fields whose values change nothing: pictures are opaque, and there are no partial ones to show."""
        dropped = {
            "background": self.background == "transparent",
            "partial_images": bool(self.partial_images),
            "response_format": self.response_format == "url" and not self.wants_links,
            "output_compression": self.output_compression is not None and self.output_format in (None, "png"),
        }
        return frozenset(name for name, is_dropped in dropped.items() if is_dropped)


class TextAndImageTokens(msgspec.Struct, frozen=True):
    """Tokens by what they stand for."""

    text_tokens: int = 0
    image_tokens: int = 0


class ImagesUsage(msgspec.Struct, frozen=True):
    """An estimate: the upstream counts no tokens. Text counts one token for four characters, pictures count nothing."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: TextAndImageTokens
    output_tokens_details: TextAndImageTokens

    @classmethod
    def of_prompt(cls, prompt: str) -> "ImagesUsage":
        """The estimate for a picture made from this prompt."""
        text = math.ceil(len(prompt) / 4)
        return cls(text, 0, text, TextAndImageTokens(text_tokens=text), TextAndImageTokens())


class ImagesEnd(msgspec.Struct, frozen=True, omit_defaults=True):
    """What follows the pictures in an answer."""

    created: int
    background: str
    output_format: str
    quality: str
    usage: ImagesUsage
    size: str | None = None
    warnings: tuple[str, ...] = ()


class ImageEventEnd(msgspec.Struct, frozen=True):
    """What follows the picture in a ``completed`` event."""

    created_at: int
    size: str
    quality: str
    background: str
    output_format: str
    usage: ImagesUsage


_QUALITIES = {"hd": "high", "standard": "medium"}
_PLAIN = ("low", "medium")
_ENLARGED = ("high", "xhigh", "max")


def quality_made(asked: object, resolution: str | None, quality: str | None = None) -> str:
    """The quality that an answer names, never ``auto``: the asked word where it was met, else what was made.

    Args:
        resolution: That of the model which served; None for its native one.
        quality: What its upstream was asked for by that very word; None where quality is nothing of its own.
    """
    if quality is not None:
        return quality
    word = _QUALITIES.get(asked, asked) if isinstance(asked, str) else None
    if resolution is None:
        return word if word in _PLAIN else "medium"
    if word in _ENLARGED or (word == "medium" and resolution == "2k"):
        return word
    return "high"
