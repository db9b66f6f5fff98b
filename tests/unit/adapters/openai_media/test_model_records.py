from typing import Any

import msgspec
import pytest

from flow2api.adapters.openai_media.model_records import ModelRecord, entries_of
from flow2api.domain.account import Tier
from flow2api.domain.catalog import BaseName, CostUnit, Masks, Mode, ModelCatalog, ModelSpec, Size, Wish
from flow2api.domain.catalog.shapes import LANDSCAPE, AspectRatio
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.media import MediaKind
from flow2api.domain.parameters import read_wish

IMAGE: dict[str, Any] = {"name": "paint", "kind": "image", "sizes": ["1024x1024"], "price_usd": 0.04}
VIDEO: dict[str, Any] = {"name": "film", "kind": "video", "sizes": ["1280x720"], "seconds": [4], "price_usd": 0.1}


def record(base: dict[str, Any], **changes: Any) -> ModelRecord:
    return msgspec.convert({**base, **changes}, ModelRecord)


def catalog(*records: ModelRecord) -> ModelCatalog:
    return ModelCatalog(entry for one in records for entry in entries_of(one))


def test_model_of_one_shape_has_the_name_itself() -> None:
    (spec,) = entries_of(record(IMAGE, id="vendor/paint-2"))

    assert isinstance(spec, ModelSpec)
    assert (spec.name, spec.size, spec.costs, spec.cost_unit) == (
        "paint", Size(1024, 1024), {Tier.FREE: 40}, CostUnit.USD_MILLIS,
    )  # fmt: skip
    assert spec.wire == {"id": "vendor/paint-2", "size": "1024x1024"}


def test_model_of_several_shapes_has_a_name_for_all_of_them() -> None:
    entries = list(entries_of(record(VIDEO, sizes=["1280x720", "720x1280"], seconds=[8, 4])))

    assert isinstance(entries[0], BaseName)
    assert [entry.name for entry in entries] == [
        "film", "film-1280x720-8s", "film-1280x720-4s", "film-720x1280-8s", "film-720x1280-4s",
    ]  # fmt: skip
    assert catalog(record(VIDEO, seconds=[8, 4])).resolve("film", Wish()).spec.seconds == 8


def test_all_shapes_of_what_the_host_counts_as_one_model_rest_together() -> None:
    shapes = [
        *entries_of(record(IMAGE, id="p-2", sizes=["1024x1024", "1536x1024"])),
        *entries_of(record(IMAGE, name="other", id="p-2")),
    ]

    assert {one.rests_as for one in shapes if isinstance(one, ModelSpec)} == {"openai:p-2"}


def test_size_leads_to_the_model_of_that_size() -> None:
    made = catalog(record(IMAGE, sizes=["1024x1024", "1536x1024", "2048x2048"]))

    assert made.resolve("paint", Wish(size=Size(1536, 1024))).spec.name == "paint-1536x1024"
    assert made.resolve("paint", Wish(aspect_ratio=AspectRatio(1, 1), resolution="2k")).spec.name == "paint-2048x2048"
    assert made.resolve("paint", Wish(aspect_ratio=AspectRatio(1, 1))).spec.name == "paint-1024x1024"


def test_larger_sizes_come_at_once_and_need_no_second_call() -> None:
    (spec,) = entries_of(record(VIDEO, sizes=["1920x1080"]))

    assert isinstance(spec, ModelSpec)
    assert (spec.resolution, spec.is_enlarged, spec.kind) == ("1080p", False, MediaKind.VIDEO)


def test_odd_pixels_count_as_the_usual_ratio_that_they_nearly_are() -> None:
    ratios = [
        entry.aspect_ratio
        for entry in entries_of(record(IMAGE, sizes=["1376x768", "1000x300"]))
        if isinstance(entry, ModelSpec)
    ]

    assert ratios == [LANDSCAPE, AspectRatio(10, 3)]


def test_video_is_paid_by_the_second_and_a_price_is_never_rounded_to_nothing() -> None:
    (video,) = entries_of(record(VIDEO, price_usd=0.1, seconds=[8]))
    (cheap,) = entries_of(record(IMAGE, price_usd=0.0001))
    (free,) = entries_of(record(IMAGE, price_usd=0))

    assert isinstance(video, ModelSpec)
    assert isinstance(cheap, ModelSpec)
    assert isinstance(free, ModelSpec)
    assert (video.cost(None), cheap.cost(None), free.is_free) == (800, 1, True)


def test_each_size_may_have_its_price() -> None:
    made = catalog(record(IMAGE, sizes=["1024x1024", "1536x1024"], price_usd={"1024x1024": 0.03, "1536x1024": 0.05}))

    assert [made.resolve(f"paint-{size}", Wish()).spec.cost(None) for size in ("1024x1024", "1536x1024")] == [30, 50]


@pytest.mark.parametrize(
    ("base", "changes", "told"),
    [
        (IMAGE, {"name": "a/b"}, "letters, digits"),
        (IMAGE, {"sizes": ["large"]}, "is no size"),
        (IMAGE, {"sizes": ["1024x1024", "1024x1024"]}, "stands there twice"),
        (IMAGE, {"sizes": ["1024x1024", "1000x1000"]}, "same ratio and resolution"),
        (IMAGE, {"seconds": [4]}, "pictures have none"),
        (VIDEO, {"seconds": []}, "videos have `seconds`"),
        (IMAGE, {"extends": True}, "only videos extend"),
        (VIDEO, {"extends": True, "max_images": 1}, "no pictures along"),
        (IMAGE, {"remixes": True}, "only videos extend or remix"),
        (VIDEO, {"extends": True, "remixes": True}, "a table of its own"),
        (IMAGE, {"masks": True, "max_images": 0}, "masks belong"),
        (IMAGE, {"min_images": 2, "max_images": 1}, "more than `max_images`"),
        (IMAGE, {"price_usd": {"512x512": 1}}, "differ in 1024x1024, 512x512"),
        (IMAGE, {"qualities": {"low": 1}}, "either `price_usd`"),
        (IMAGE, {"price_usd": None, "qualities": {"low": {"512x512": 1}}}, "`low` differ in 1024x1024, 512x512"),
        (IMAGE, {"price_usd": None, "qualities": {"low": 1}, "extra": {"quality": "low"}}, "none beside them"),
        (VIDEO, {"price_usd": None, "qualities": {"low": 1}}, "are of pictures"),
    ],
)
def test_record_that_cannot_be_right_is_told_by_its_name(
    base: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        list(entries_of(record(base, **changes)))
    assert str({**base, **changes}["name"]) in caught.value.message


def test_record_says_what_becomes_of_masks_and_of_videos() -> None:
    with_masks, without = (
        next(one for one in entries_of(record(IMAGE, max_images=1, masks=masks)) if isinstance(one, ModelSpec))
        for masks in (True, False)
    )
    again = next(one for one in entries_of(record(VIDEO, remixes=True)) if isinstance(one, ModelSpec))
    longer = next(one for one in entries_of(record(VIDEO, max_images=0, extends=True)) if isinstance(one, ModelSpec))

    assert (with_masks.masks, without.masks) == (Masks.TAKEN, Masks.REFUSED)
    assert (longer.mode, longer.repeats_s, longer.remixes) == (Mode.EXTEND, 0, False)
    assert (again.mode, again.remixes) == (Mode.EDIT, True)


def test_price_has_to_be_said() -> None:
    unpriced = msgspec.convert({name: value for name, value in IMAGE.items() if name != "price_usd"}, ModelRecord)
    with pytest.raises(ConfigurationError, match="price_usd"):
        list(entries_of(unpriced))


QUALITIES: dict[str, Any] = {
    **IMAGE,
    "sizes": ["1024x1024", "1536x1024"],
    "price_usd": None,
    "qualities": {"medium": {"1024x1024": 0.034, "1536x1024": 0.05}, "low": 0.009, "high": 0.133},
}


def test_each_quality_is_a_model_with_a_price_of_its_own() -> None:
    specs = {one.name: one for one in entries_of(record(QUALITIES)) if isinstance(one, ModelSpec)}

    assert {name: one.costs[Tier.FREE] for name, one in specs.items()} == {
        "paint-1024x1024": 34, "paint-1024x1024-low": 9, "paint-1024x1024-high": 133,
        "paint-1536x1024": 50, "paint-1536x1024-low": 9, "paint-1536x1024-high": 133,
    }  # fmt: skip
    assert specs["paint-1536x1024-high"].wire == {"id": "paint", "size": "1536x1024", "quality": "high"}
    assert specs["paint-1536x1024"].wire["quality"] == "medium"


@pytest.mark.parametrize(
    ("asked", "name", "told"),
    [
        ({}, "paint-1536x1024", ()),
        ({"quality": "auto"}, "paint-1536x1024", ()),
        ({"quality": "low", "size": "1024x1024"}, "paint-1024x1024-low", ()),
        ({"quality": "standard"}, "paint-1536x1024", ()),
        ({"quality": "high"}, "paint-1536x1024-high", ()),
        ({"quality": "hd", "size": "1024x1024"}, "paint-1024x1024-high", ()),
        ({"quality": "max"}, "paint-1536x1024-high", ("paint does not make the quality max; high is used.",)),
    ],
)
def test_quality_is_what_the_host_is_asked_for_and_no_resolution(
    asked: dict[str, object], name: str, told: tuple[str, ...]
) -> None:
    found = catalog(record(QUALITIES)).resolve("paint", read_wish(asked).wish)

    assert (found.spec.name, found.warnings, found.fallback) == (name, told, None)


def test_name_says_the_quality_unless_the_request_does() -> None:
    made = catalog(record(QUALITIES))

    assert made.resolve("paint-1024x1024-low", Wish()).spec.name == "paint-1024x1024-low"
    assert made.resolve("paint-1024x1024-low", Wish(size=Size(1536, 1024))).spec.name == "paint-1536x1024-low"
    assert made.resolve("paint-1024x1024-low", Wish(quality="high")).spec.name == "paint-1024x1024-high"


def test_quality_between_two_is_the_cheaper_one() -> None:
    made = catalog(record(IMAGE, price_usd=None, qualities={"high": 0.2, "low": 0.01}))

    assert made.resolve("paint", Wish(quality="medium")).spec.quality == "low"
    assert made.resolve("paint", Wish()).spec.quality == "high"


def test_words_for_quality_are_told_where_they_are_something_of_their_own() -> None:
    with_words, without = catalog(record(QUALITIES)).describe("paint"), catalog(record(IMAGE)).describe("paint")

    assert with_words is not None
    assert without is not None
    assert (with_words.qualities, without.qualities) == (("low", "medium", "high"), ())
