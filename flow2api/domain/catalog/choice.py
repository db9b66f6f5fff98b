"""Which model of a line serves a wish, and what has to be said about the difference.

A parameter of the request wins over what the name says, and what the name says over a mere default. What is not made
exactly is made as near as the line comes, with a sentence for the caller.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from flow2api.domain.catalog.entries import BaseName, ModelSpec, Wish
from flow2api.domain.catalog.shapes import (
    LANDSCAPE,
    NATIVE_RESOLUTION,
    QUALITIES,
    AspectRatio,
    Size,
    ratio_distance,
)
from flow2api.domain.media import MediaKind

NATIVE = "native"
_OF_HIGH_QUALITY = "4k"
"""What a vague word asks for that means high quality."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a public name stands for: the models that may serve it, and what the name itself says of the result.

    Attributes:
        members: The served models of its line, never empty.
        named: The model of exactly this name; None for a base name.
        resolution: ``2k``, ``4k``, ``1080p`` or ``native`` when the name says so.
        seconds: The length that the name says.
    """

    name: str
    members: tuple[ModelSpec, ...]
    named: ModelSpec | None = None
    resolution: str | None = None
    seconds: int | None = None

    @property
    def aspect_ratio(self) -> AspectRatio | None:
        """The ratio that the name says, if it says one."""
        return None if self.named is None else self.named.aspect_ratio

    @property
    def quality(self) -> str | None:
        """What is made when a request says nothing of quality, where that is something of its own."""
        return (self.named or self.members[0]).quality

    @property
    def key(self) -> tuple[str, bool]:
        """Tells a model from the base name of the same name."""
        return self.name, self.named is not None

    @property
    def kind(self) -> MediaKind:
        """What it makes."""
        return self.members[0].kind


def candidates_of_model(spec: ModelSpec, line: tuple[ModelSpec, ...]) -> Candidates:
    """A model's own name: it fixes everything that no parameter changes."""
    return Candidates(spec.name, line, spec, spec.resolution or NATIVE, spec.seconds)


def candidates_of_base(base: BaseName, line: tuple[ModelSpec, ...]) -> Candidates | None:
    """A base name; None when nothing in the line is what the name stands for."""
    found = Candidates(base.name, line, None, base.resolution, base.seconds)
    fits = any(base.resolution in (None, spec.resolution) and base.seconds in (None, spec.seconds) for spec in line)
    return found if fits else None


def meant(candidates: Candidates, wish: Wish) -> Wish:
    """The wish with what a word for quality means in this line: itself, or a resolution.

    Which one that is for high quality the line may say, if it was asked for by that word and nothing else was.
    """
    if candidates.quality is not None:
        return replace(wish, resolution=None, soft_resolution=False) if wish.soft_resolution else wish
    if wish.quality is not None:
        wish = replace(wish, quality=None)
    if not wish.soft_resolution or wish.resolution != _OF_HIGH_QUALITY or candidates.resolution not in (None, NATIVE):
        return wish
    word = next((spec.resolution for spec in candidates.members if spec.is_high_quality), None)
    return wish if word is None else replace(wish, resolution=word, soft_resolution=False)


def choose(candidates: Candidates, wish: Wish) -> ModelSpec:
    """The model that comes nearest to the wish, the ratio before the resolution before the length."""
    if candidates.named is not None and wish.says_nothing:
        return candidates.named
    kept: Sequence[ModelSpec] = candidates.members
    if wish.ratio is not None:
        kept = _nearest(kept, _by_ratio(wish.ratio))
    if enlarged := _of_exact_size(kept, wish):
        kept = enlarged
    elif wish.resolution is not None:
        kept = _nearest(kept, _by_resolution(wish.resolution))
    if wish.seconds is not None:
        kept = _nearest(kept, _by_seconds(wish.seconds))
    if (quality := wish.quality or candidates.quality) is not None:
        kept = _nearest(kept, _by_quality(quality))
    kept = _nearest(kept, _by_ratio(_unasked_ratio(candidates, wish)))
    kept = _nearest(kept, _by_resolution(candidates.resolution or NATIVE))
    if (seconds := candidates.seconds or candidates.members[0].seconds) is not None:
        kept = _nearest(kept, _by_seconds(seconds))
    if candidates.named is not None and any(spec is candidates.named for spec in kept):
        return candidates.named
    return next((spec for spec in kept if spec.same_as is None), kept[0])


def differences(name: str, candidates: Candidates, wish: Wish, spec: ModelSpec) -> tuple[str, ...]:
    """A sentence for each thing that was asked for, or that the name says, and that this model does not do.

    Args:
        name: The name as it was asked for.
    """
    return (
        *_shape_differences(name, candidates, wish, spec),
        *_quality_differences(name, wish, spec),
        *_length_differences(name, candidates, wish, spec),
    )


def _shape_differences(name: str, candidates: Candidates, wish: Wish, spec: ModelSpec) -> Iterator[str]:
    if wish.aspect_ratio is not None and wish.aspect_ratio != spec.aspect_ratio:
        yield f"{name} does not make the aspect ratio {wish.aspect_ratio}; {spec.aspect_ratio} is used."
    elif wish.size is not None and wish.size != spec.size:
        yield f"{name} makes {spec.size} where the size {wish.size} is asked for{_more_pixels(candidates, wish.size, spec)}."
    elif wish.ratio is None and candidates.aspect_ratio not in (None, spec.aspect_ratio):
        yield f"The parameters leave nothing in the aspect ratio that {name} stands for; {spec.aspect_ratio} is used."
    if wish.resolution is not None:
        if not _is_resolution(spec, wish.resolution):
            yield f"{name} does not make the resolution {wish.resolution}; it is ignored, and {spec.size} is made."
    elif wish.size == spec.size:
        return
    elif candidates.resolution is not None and not _is_resolution(spec, candidates.resolution):
        yield f"The parameters leave nothing at the resolution that {name} stands for; {spec.size} is made."


def _quality_differences(name: str, wish: Wish, spec: ModelSpec) -> Iterator[str]:
    if wish.quality is not None and wish.quality != spec.quality:
        yield f"{name} does not make the quality {wish.quality}; {spec.quality} is used."


def _length_differences(name: str, candidates: Candidates, wish: Wish, spec: ModelSpec) -> Iterator[str]:
    if spec.enlarges:
        if wish.seconds is not None:
            yield f"{name} changes no length; the {wish.seconds} s are ignored."
    elif wish.seconds is not None and spec.seconds is None:
        yield f"{name} makes pictures; the length of {wish.seconds} s is ignored."
    elif wish.seconds is not None and wish.seconds != spec.seconds:
        yield f"{name} does not make videos of {wish.seconds} s; {spec.seconds} s are made."
    elif wish.seconds is None and candidates.seconds not in (None, spec.seconds):
        yield f"The parameters leave nothing of the length that {name} stands for; {spec.seconds} s are made."


def _more_pixels(candidates: Candidates, size: Size, spec: ModelSpec) -> str:
    if size.area <= spec.size.area:
        return ""
    larger = {
        other.resolution: other.size.area
        for other in candidates.members
        if other.resolution and other.aspect_ratio == spec.aspect_ratio and other.size.area > spec.size.area
    }
    return f"; a resolution of {' or '.join(sorted(larger, key=larger.__getitem__))} has more pixels" if larger else ""


def _of_exact_size(specs: Sequence[ModelSpec], wish: Wish) -> Sequence[ModelSpec]:
    """Those that enlarge to just the pixels that are asked for, where no resolution says otherwise, at no cost.

    What is made without enlarging is no such word: clients send their usual size along with any name. For the same reason
    a size alone spends no credits on enlarging, unless nothing else is asked for.
    """
    if wish.aspect_ratio is not None or (wish.resolution is not None and not wish.soft_resolution):
        return ()
    exact = [spec for spec in specs if spec.size == wish.size]
    return exact if all(spec.resolution is not None and (spec.is_free or spec.enlarges) for spec in exact) else ()


def _unasked_ratio(candidates: Candidates, wish: Wish) -> float:
    if candidates.aspect_ratio is not None:
        return candidates.aspect_ratio.value
    return wish.picture_ratio or LANDSCAPE.value


def _nearest(specs: Sequence[ModelSpec], rank: Callable[[ModelSpec], tuple[float, float]]) -> Sequence[ModelSpec]:
    if len(specs) == 1:
        return specs
    ranked = [(rank(spec), spec) for spec in specs]
    least = min(key for key, _ in ranked)
    return [spec for key, spec in ranked if key == least]


def _by_ratio(wanted: float) -> Callable[[ModelSpec], tuple[float, float]]:
    # Between two that are equally far off, the wider one: landscape is everybody's default.
    return lambda spec: (ratio_distance(spec.aspect_ratio, wanted), -spec.aspect_ratio.value)


def _by_resolution(wanted: str) -> Callable[[ModelSpec], tuple[float, float]]:
    return lambda spec: (0 if _is_resolution(spec, wanted) else 1 if spec.resolution is None else 2, 0)


def _by_seconds(wanted: int) -> Callable[[ModelSpec], tuple[float, float]]:
    # Between a second too short and a second too long, the longer one: it holds what was asked for.
    return lambda spec: (abs((spec.seconds or 0) - wanted), -(spec.seconds or 0))


def _by_quality(wanted: str) -> Callable[[ModelSpec], tuple[float, float]]:
    # Between two that are equally far off, the lower one, which costs less.
    at = QUALITIES.index(wanted)

    def rank(spec: ModelSpec) -> tuple[float, float]:
        own = at if spec.quality is None else QUALITIES.index(spec.quality)
        return abs(own - at), own

    return rank


def _is_resolution(spec: ModelSpec, wanted: str) -> bool:
    if wanted in (NATIVE, NATIVE_RESOLUTION[spec.kind]):
        return spec.resolution is None
    return spec.resolution == wanted
