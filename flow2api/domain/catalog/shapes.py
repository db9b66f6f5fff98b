"""Ratios, sizes and resolutions, and how near one is to another."""

from dataclasses import dataclass
from math import gcd, log

from flow2api.domain.media import MediaKind

_CALLED = {(7, 3): "21:9", (3, 7): "9:21", (8, 5): "16:10", (5, 8): "10:16"}
"""Ratios that nobody calls by their lowest terms."""


@dataclass(frozen=True, slots=True)
class AspectRatio:
    """Width to height, in lowest terms."""

    width: int
    height: int

    def __str__(self) -> str:
        return _CALLED.get((self.width, self.height), f"{self.width}:{self.height}")

    @property
    def value(self) -> float:
        """Width divided by height."""
        return self.width / self.height

    @classmethod
    def of(cls, width: int, height: int) -> "AspectRatio":
        """The ratio of these two positive numbers, reduced."""
        divisor = gcd(width, height)
        return cls(width // divisor, height // divisor)


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def area(self) -> int:
        """How many pixels there are."""
        return self.width * self.height


LANDSCAPE = AspectRatio(16, 9)
PORTRAIT = AspectRatio(9, 16)
SQUARE = AspectRatio(1, 1)
FOUR_THREE = AspectRatio(4, 3)
THREE_FOUR = AspectRatio(3, 4)

NATIVE_RESOLUTION = {MediaKind.IMAGE: "1k", MediaKind.VIDEO: "720p"}
"""The word for what a model makes without enlarging it."""


QUALITIES = ("low", "medium", "high", "xhigh", "max")
"""OpenAI's words for how well a picture is made, the least first."""


def ratio_distance(ratio: AspectRatio, wanted: float) -> float:
    """How far a ratio is from a wanted width / height: 0 when equal, alike for wider and narrower."""
    return round(abs(log(ratio.value / wanted)), 9)
