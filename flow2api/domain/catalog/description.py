"""What the outside is told about a name: everything it can be asked for, merged over the models behind it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from flow2api.domain.account import Tier
from flow2api.domain.catalog.entries import CostUnit, Masks, Mode, ModelSpec
from flow2api.domain.catalog.shapes import NATIVE_RESOLUTION, QUALITIES, AspectRatio, Size
from flow2api.domain.media import MediaKind

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """What one public name can do.

    Attributes:
        upstream: Name of the upstream that serves it.
        aspect_ratios: Widest first.
        sizes: What `size` may ask for exactly, fewest pixels first; not what costs more and has to be asked for by its resolution.
        modes: What it makes its results from; ``references`` also where pictures may accompany the text.
        resolutions: Words that ``resolution`` may take, the native one (``1k``, ``720p``) among them.
        qualities: Words that ``quality`` may take where that is something of its own, the least first.
        seconds: Lengths that it makes, ascending; empty for pictures.
        min_images: How many input pictures it needs at least.
        max_images: How many it takes at most.
        masks: What becomes of a mask that comes along with the pictures.
        min_tier: The least plan that may use it when nothing special is asked for.
        costs: Price by plan of one generation when nothing special is asked for.
        cost_unit: What the price is counted in.
        aliases: Other names that lead to it when a request says nothing special.
        created: Unix seconds since when it is offered.
        deprecated: The name was withdrawn upstream and lives on as an alias.
        warning: The sentence that its use is answered with, or None.
    """

    id: str
    upstream: str
    kind: MediaKind
    modes: tuple[Mode, ...]
    aspect_ratios: tuple[AspectRatio, ...]
    sizes: tuple[Size, ...]
    resolutions: tuple[str, ...]
    seconds: tuple[int, ...]
    min_images: int
    max_images: int
    masks: Masks
    min_tier: Tier
    costs: Mapping[Tier, int]
    cost_unit: CostUnit
    created: int
    qualities: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    deprecated: bool = False
    warning: str | None = None


def describe_models(name: str, default: ModelSpec, members: Sequence[ModelSpec]) -> ModelDescription:
    """One name that stands for these models.

    Args:
        default: The member that serves when nothing is asked for.
    """
    return ModelDescription(
        id=name,
        upstream=default.upstream,
        kind=default.kind,
        modes=_distinct(mode for spec in members for mode in _modes(spec)),
        aspect_ratios=_widest_first(spec.aspect_ratio for spec in members),
        sizes=_smallest_first(
            spec.size for spec in members if spec.is_free or spec.resolution in (None, default.resolution)
        ),
        resolutions=_distinct(
            spec.resolution or NATIVE_RESOLUTION[spec.kind] for spec in sorted(members, key=lambda spec: spec.size.area)
        ),
        qualities=_least_first(spec.quality for spec in members),
        seconds=tuple(sorted({spec.seconds for spec in members if spec.seconds is not None})),
        min_images=min(spec.min_images for spec in members),
        max_images=max(spec.max_images for spec in members),
        masks=default.masks,
        min_tier=default.min_tier,
        costs=default.costs,
        cost_unit=default.cost_unit,
        created=min(spec.created_at for spec in members),
    )


def describe_alias(name: str, targets: Sequence[ModelDescription]) -> ModelDescription:
    """Another name for one or several described ones, of which the inputs choose; the default comes first."""
    return replace(
        targets[0],
        id=name,
        modes=_distinct(mode for target in targets for mode in target.modes),
        aspect_ratios=_widest_first(ratio for target in targets for ratio in target.aspect_ratios),
        sizes=_smallest_first(size for target in targets for size in target.sizes),
        resolutions=_distinct(word for target in targets for word in target.resolutions),
        qualities=_least_first(word for target in targets for word in target.qualities),
        seconds=tuple(sorted({seconds for target in targets for seconds in target.seconds})),
        min_images=min(target.min_images for target in targets),
        max_images=max(target.max_images for target in targets),
        aliases=(),
    )


def _modes(spec: ModelSpec) -> tuple[Mode, ...]:
    if spec.mode is Mode.TEXT and spec.max_images > 0:
        return (Mode.TEXT, Mode.REFERENCES)
    return (spec.mode,)


def _widest_first(ratios: Iterable[AspectRatio]) -> tuple[AspectRatio, ...]:
    return tuple(sorted(set(ratios), key=lambda ratio: -ratio.value))


def _smallest_first(sizes: Iterable[Size]) -> tuple[Size, ...]:
    return tuple(sorted(set(sizes), key=lambda size: (size.area, -size.width)))


def _least_first(qualities: Iterable[str | None]) -> tuple[str, ...]:
    found = set(qualities)
    return tuple(word for word in QUALITIES if word in found)


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
