"""What a catalog is made of: models, names for whole lines of them, and other names for both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flow2api.domain.account import Tier
from flow2api.domain.catalog.shapes import AspectRatio, Size
from flow2api.domain.media import MediaKind


class Mode(StrEnum):
    """What a model makes its result from."""

    TEXT = "text"
    FRAMES = "frames"
    REFERENCES = "references"
    EXTEND = "extend"
    EDIT = "edit"
    ENLARGE = "enlarge"

    @property
    def needs_source(self) -> bool:
        """Whether it builds on a picture or a video that was made before."""
        return self in (Mode.EXTEND, Mode.EDIT, Mode.ENLARGE)


class Masks(StrEnum):
    """What becomes of a mask, which says where a picture may be changed."""

    IGNORED = "ignored"
    TAKEN = "taken"
    REFUSED = "refused"
    """For a picture that is paid for must not come out quite otherwise than it was asked for."""


class CostUnit(StrEnum):
    """What the price of a model is counted in."""

    CREDITS = "credits"
    USD_MILLIS = "usd_millis"
    """Thousandths of a dollar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One concrete model: a public name with everything fixed.

    Attributes:
        name: The public id.
        upstream: Name of the upstream that serves it.
        line: What it shares with the siblings that differ from it only in ratio, resolution or seconds.
        limited_as: What upstream's limits on a model count it as; models that share it rest together. None for its name.
        size: Pixels of what it makes, as far as upstream tells.
        resolution: ``512``, ``2k``, ``4k`` or ``1080p`` when the result is not of the native size; None for that.
        is_high_quality: It is what ``quality: high`` stands for in its line, whatever it costs.
        quality: One of ``QUALITIES`` where the upstream is asked for a picture by that word; else ``quality`` in a request is
            a vague word for a resolution.
        at_once: The upstream makes the resolution in the first call; else a second one enlarges what was made.
        seconds: Length of the clip; None for pictures.
        remixes: What its siblings have made is remixed by it, out of the video itself; else a remix is made anew.
        repeats_s: How many of these seconds an extension has in common with the end of what it extends.
        min_images: How many input pictures it needs at least.
        max_images: How many it takes at most.
        masks: What becomes of a mask that comes along with the pictures.
        min_tier: The least plan that may use it.
        costs: Price of one generation by plan; a plan that is not named pays what the next lower one pays.
        cost_unit: What the price is counted in.
        wire: What only the upstream's adapter reads (its keys for this model), opaque to everybody else.
        created_at: Unix seconds since when it is offered.
        same_as: Name of another model that behaves alike, if there is one.
    """

    name: str
    upstream: str
    kind: MediaKind
    mode: Mode
    line: str
    aspect_ratio: AspectRatio
    size: Size
    resolution: str | None = None
    is_high_quality: bool = False
    quality: str | None = None
    at_once: bool = False
    seconds: int | None = None
    remixes: bool = False
    repeats_s: int = 0
    min_images: int = 0
    max_images: int = 0
    masks: Masks = Masks.IGNORED
    min_tier: Tier = Tier.FREE
    costs: Mapping[Tier, int] = field(default_factory=dict)
    cost_unit: CostUnit = CostUnit.CREDITS
    limited_as: str | None = None
    wire: Mapping[str, Any] = field(default_factory=dict)
    created_at: int = 0
    same_as: str | None = None

    def cost(self, tier: Tier | None) -> int:
        """What one generation costs an account of this plan, in the model's unit."""
        known = [(at, price) for at, price in self.costs.items() if at <= (tier or Tier.FREE)]
        return max(known)[1] if known else max(self.costs.values(), default=0)

    @property
    def rests_as(self) -> str:
        """The name under which accounts rest from it."""
        return self.limited_as or self.name

    @property
    def is_enlarged(self) -> bool:
        """Whether what was made is enlarged by a second call."""
        return self.resolution is not None and not self.at_once and not self.enlarges

    @property
    def enlarges(self) -> bool:
        """Whether it makes nothing of its own: it enlarges what was made before."""
        return self.mode is Mode.ENLARGE

    @property
    def is_free(self) -> bool:
        """Whether no plan pays for it; then a lost submit may be sent again."""
        return not any(self.costs.values())


@dataclass(frozen=True, slots=True)
class BaseName:
    """A public name for a whole line, resolved by parameters.

    It may be the name of a model of that line, too; then the name stands for the line.

    Attributes:
        resolution: What it stands for when the request names no resolution.
        seconds: What it stands for when the request names no length.
    """

    name: str
    line: str
    resolution: str | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """Another public name for a model or base name, or for another alias.

    Attributes:
        targets: What it leads to, by the mode that the input pictures imply; ``None`` is the default.
        retired: The name was withdrawn upstream: its use is answered with a warning, and a target that is both a
            model and a base name is taken as the model, for the old name fixed everything.
    """

    name: str
    targets: Mapping[Mode | None, str]
    retired: bool = False


Entry = ModelSpec | BaseName | Alias


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a request says about the shape of its result; None where it says nothing.

    Attributes:
        size: The literal pixels asked for (they count by their ratio).
        resolution: ``512``, ``1k``, ``2k``, ``4k``, ``720p`` or ``1080p``.
        soft_resolution: The resolution follows from a vague word such as ``quality: high``: it never raises the price
            (unless the line says what that word stands for), and gives way where no account may use it.
        quality: One of ``QUALITIES``, for lines that have it as something of its own.
        seconds: Length asked for, 1 to 60.
        pictures: How many input pictures come along.
        picture_ratio: Ratio (width / height) of the first input picture; decides when nothing else does.
        has_source: Whether something comes along that was made before and is to be extended, edited or enlarged.
    """

    aspect_ratio: AspectRatio | None = None
    size: Size | None = None
    resolution: str | None = None
    soft_resolution: bool = False
    quality: str | None = None
    seconds: int | None = None
    pictures: int = 0
    picture_ratio: float | None = None
    has_source: bool = False

    @property
    def ratio(self) -> float | None:
        """Width / height that was asked for, by ratio or by pixels; None when neither was."""
        if self.aspect_ratio is not None:
            return self.aspect_ratio.value
        return None if self.size is None else self.size.width / self.size.height

    @property
    def says_nothing(self) -> bool:
        """Whether the result may be of any shape, length and quality."""
        said = (self.aspect_ratio, self.size, self.resolution, self.quality, self.seconds)
        return all(one is None for one in said)

    @property
    def mode(self) -> Mode:
        """What the inputs imply: a result to go on with, one or two frames, more references, or text alone."""
        if self.has_source:
            return Mode.EXTEND
        if self.pictures == 0:
            return Mode.TEXT
        return Mode.FRAMES if self.pictures <= 2 else Mode.REFERENCES


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name and a wish came to.

    Attributes:
        asked: The name as it was asked for; answers echo it.
        warnings: A sentence for each thing that was rounded, replaced or ignored.
        fallback: What to make instead when no account has the plan that ``spec`` needs; only where the request asked
            for the higher resolution by a vague word. Its warnings say so.
    """

    asked: str
    spec: ModelSpec
    warnings: tuple[str, ...] = ()
    fallback: "Resolution | None" = None
