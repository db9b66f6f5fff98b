"""The many spellings of size, ratio, resolution, length and seed, read into one canonical wish.

Where ratio and resolution are looked for, the first hit wins for each of the two on its own:

1. ``generationConfig.imageConfig``,
2. ``generationConfig`` itself,
3. ``imageConfig`` among the request's own fields, then the same three and the fields themselves inside ``extra_body``,
4. ``size`` and ``quality`` of the request,
5. ``aspect_ratio``, ``image_size`` and the like of the request.

In the places before 4, a field that names the thing itself comes before ``size``, and that before ``quality``. What
loses against an earlier field that says something else is told as a warning.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Generic, NamedTuple, TypeVar

from flow2api.domain.catalog import AspectRatio, Size, Wish, ratio_distance
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.parameter_values import (
    INT64_MAX,
    INT64_MIN,
    is_resolution,
    quality_word,
    read_aspect_ratio,
    read_flag,
    read_integer,
    read_quality,
    read_resolution,
    read_seconds,
    read_size,
)

MOST_RESULTS = 10
RANDOM_SEED = -1
"""What several clients send when they leave the seed to us."""
SAME_RATIO = 0.02
"""Two ratios no further apart than this (by their logarithm) say the same."""

_GENERATION_CONFIG = ("generationConfig", "generation_config")
_IMAGE_CONFIG = ("imageConfig", "image_config")
_EXTRA_BODY = ("extra_body", "extraBody")
_RATIO_FIELDS = ("aspectRatio", "aspect_ratio", "aspect")
_RESOLUTION_FIELDS = ("imageSize", "image_size", "resolution")
_SECONDS_FIELDS = ("seconds", "duration", "durationSeconds", "duration_seconds")
_OWN_FIELDS = (*_RATIO_FIELDS, *_RESOLUTION_FIELDS, *_SECONDS_FIELDS, "size", "quality", "seed")
_READ = frozenset((*_OWN_FIELDS, "n", "strict", *_GENERATION_CONFIG, *_IMAGE_CONFIG, *_EXTRA_BODY))

_REMEMBERED = 512
_LONGEST_REMEMBERED = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedParameters:
    """What was read.

    Attributes:
        count: How many results are wanted (``n``).
        seed: None leaves it to us.
        strict: Whatever would be a warning is to be refused.
        used: Names of the request's own fields that were understood; the others were not looked at.
        warnings: A sentence for each value that was rounded or ignored.
    """

    wish: Wish
    count: int = 1
    seed: int | None = None
    strict: bool = False
    used: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    fields: Mapping[str, object]

    def found(self, names: Sequence[str]) -> Iterator[tuple[str, object]]:
        for name in names:
            if (value := self.fields.get(name)) is not None:
                yield f"{self.path}{name}", value


@dataclass(frozen=True, slots=True)
class _Hit(Generic[T]):
    path: str
    value: T
    is_soft: bool = False


def read_wish(
    fields: Mapping[str, object],
    *,
    pictures: int = 0,
    picture_ratio: float | None = None,
    has_source: bool = False,
    text_values: bool = False,
    most_results: int = MOST_RESULTS,
) -> ParsedParameters:
    """Everything that a request says about the shape of its result.

    Args:
        fields: The request's fields as they were decoded, whatever else is among them.
        pictures: How many input pictures come along.
        picture_ratio: Width / height of the first of them as a viewer sees it.
        text_values: The fields come from a form, so that numbers and booleans are text.
        most_results: The greatest ``n``.

    Raises:
        UnsupportedInputError: A value cannot be understood or is out of range; ``param`` is its path.
    """
    said = _Said(pictures, picture_ratio, has_source, text_values, most_results)
    read = [(name, type(value), value) for name, value in fields.items() if name in _READ]
    if all(_is_plain(value) for _, _, value in read):
        return _read_again(tuple(read), said)
    return _read(fields, said)


class _Said(NamedTuple):
    """What is known of a request besides its fields, as `read_wish` takes it."""

    pictures: int
    picture_ratio: float | None
    has_source: bool
    text_values: bool
    most_results: int


def _is_plain(value: object) -> bool:
    """Whether a value is small enough to be remembered."""
    if isinstance(value, str):
        return len(value) <= _LONGEST_REMEMBERED
    if isinstance(value, int):
        return INT64_MIN <= value <= INT64_MAX
    return value is None or isinstance(value, float)


@lru_cache(maxsize=_REMEMBERED)
def _read_again(read: tuple[tuple[str, type, object], ...], said: _Said) -> ParsedParameters:
    """Clients ask in the same shape again and again. The types tell 1 from 1.0 and True, which are equal."""
    return _read({name: value for name, _, value in read}, said)


def _read(fields: Mapping[str, object], said: _Said) -> ParsedParameters:
    warnings: list[str] = []
    pictures, picture_ratio, has_source, text_values, most_results = said
    own = _Place("", fields)
    places = tuple(_nested_places(fields, text=text_values))
    ratio = _first(tuple(_ratio_hits(own, places, text=text_values)), _same_ratio, warnings)
    resolution = _first(tuple(_resolution_hits(own, places, warnings, text=text_values)), _equal, warnings)
    seconds = _first(tuple(_seconds_hits((*places, own), text=text_values)), _equal, warnings)
    seeds = tuple(_seed_hits((*places, own), text=text_values))
    seed = _first(seeds, _equal, warnings)
    wish = Wish(
        aspect_ratio=ratio.value if ratio is not None and isinstance(ratio.value, AspectRatio) else None,
        size=ratio.value if ratio is not None and isinstance(ratio.value, Size) else None,
        resolution=None if resolution is None else resolution.value,
        soft_resolution=resolution is not None and resolution.is_soft,
        quality=next(_quality_words((*places, own)), None),
        seconds=None if seconds is None else seconds.value,
        pictures=pictures,
        picture_ratio=picture_ratio if picture_ratio and isfinite(picture_ratio) and picture_ratio > 0 else None,
        has_source=has_source,
    )
    return ParsedParameters(
        wish=wish,
        count=read_integer(fields.get("n"), "n", least=1, most=most_results, text=text_values) or 1,
        seed=None if seed is None or seed.value == RANDOM_SEED else seed.value,
        strict=read_flag(fields.get("strict"), "strict", text=text_values) or False,
        used=frozenset(_used(fields, places)),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _nested_places(fields: Mapping[str, object], *, text: bool) -> Iterator[_Place]:
    """The objects inside the request that may hold parameters, in the order in which they win."""
    for config in _objects(_Place("", fields), _GENERATION_CONFIG, text=text):
        yield from _objects(config, _IMAGE_CONFIG, text=text)
        yield config
    yield from _objects(_Place("", fields), _IMAGE_CONFIG, text=text)
    for extra in _objects(_Place("", fields), _EXTRA_BODY, text=text):
        for config in _objects(extra, _GENERATION_CONFIG, text=text):
            yield from _objects(config, _IMAGE_CONFIG, text=text)
            yield config
        yield from _objects(extra, _IMAGE_CONFIG, text=text)
        yield extra


def _objects(place: _Place, names: Sequence[str], *, text: bool) -> Iterator[_Place]:
    for path, value in place.found(names):
        if isinstance(value, Mapping):
            yield _Place(f"{path}.", value)
        elif not text:
            raise UnsupportedInputError(f"{path} must be an object.", param=path, code="invalid_type")


def _ratio_hits(own: _Place, places: Sequence[_Place], *, text: bool) -> Iterator[_Hit[AspectRatio | Size]]:
    for place in places:
        for path, value in place.found(_RATIO_FIELDS):
            if (ratio := read_aspect_ratio(value, path)) is not None:
                yield _Hit(path, ratio)
        for path, value in place.found(("size",)):
            # Here a size may also be a resolution: then it says nothing of the ratio.
            if not is_resolution(value) and (size := read_size(value, path)) is not None:
                yield _Hit(path, size)
    if (size := read_size(own.fields.get("size"), "size", text=text)) is not None:
        yield _Hit("size", size)
    for path, value in own.found(_RATIO_FIELDS):
        if (ratio := read_aspect_ratio(value, path)) is not None:
            yield _Hit(path, ratio)


def _resolution_hits(own: _Place, places: Sequence[_Place], warnings: list[str], *, text: bool) -> Iterator[_Hit[str]]:
    for place in places:
        yield from _named_resolutions(place, _RESOLUTION_FIELDS, warnings)
        if is_resolution(place.fields.get("size")):
            yield from _named_resolutions(place, ("size",), warnings)
        yield from _qualities(place, warnings, text=text)
    yield from _qualities(own, warnings, text=text)
    yield from _named_resolutions(own, _RESOLUTION_FIELDS, warnings)


def _named_resolutions(place: _Place, names: Sequence[str], warnings: list[str]) -> Iterator[_Hit[str]]:
    for path, value in place.found(names):
        resolution, note = read_resolution(value, path)
        if note is not None:
            warnings.append(note)
        if resolution is not None:
            yield _Hit(path, resolution)


def _qualities(place: _Place, warnings: list[str], *, text: bool) -> Iterator[_Hit[str]]:
    for path, value in place.found(("quality",)):
        if is_resolution(value):
            yield from _named_resolutions(place, ("quality",), warnings)
            continue
        resolution, note = read_quality(value, path, text=text)
        if note is not None:
            warnings.append(note)
        if resolution is not None:
            yield _Hit(path, resolution, is_soft=True)


def _quality_words(places: Sequence[_Place]) -> Iterator[str]:
    for place in places:
        for _, value in place.found(("quality",)):
            if (word := quality_word(value)) is not None:
                yield word


def _seconds_hits(places: Sequence[_Place], *, text: bool) -> Iterator[_Hit[int]]:
    for place in places:
        for path, value in place.found(_SECONDS_FIELDS):
            if (seconds := read_seconds(value, path, text=text)) is not None:
                yield _Hit(path, seconds)


def _seed_hits(places: Sequence[_Place], *, text: bool) -> Iterator[_Hit[int]]:
    for place in places:
        for path, value in place.found(("seed",)):
            if (seed := read_integer(value, path, least=INT64_MIN, most=INT64_MAX, text=text)) is not None:
                yield _Hit(path, seed)


def _first(hits: Sequence[_Hit[T]], same: Callable[[T, T], bool], warnings: list[str]) -> _Hit[T] | None:
    if not hits:
        return None
    winner = hits[0]
    warnings.extend(
        f"{hit.path} is ignored, because {winner.path} says otherwise."
        for hit in hits[1:]
        if not same(hit.value, winner.value)
    )
    return winner


def _same_ratio(one: AspectRatio | Size, other: AspectRatio | Size) -> bool:
    if isinstance(one, Size) and isinstance(other, Size):
        return one == other
    return ratio_distance(AspectRatio.of(one.width, one.height), other.width / other.height) <= SAME_RATIO


def _equal(one: object, other: object) -> bool:
    return one == other


def _used(fields: Mapping[str, object], places: Sequence[_Place]) -> Iterator[str]:
    for name in (*_OWN_FIELDS, "n", "strict"):
        if name in fields:
            yield name
    for place in places:
        if any(name in place.fields for name in _OWN_FIELDS):
            yield place.path.partition(".")[0]
