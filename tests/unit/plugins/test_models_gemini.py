"""The packaged list of the Gemini API's models, beside Flow's."""

import pytest

from flow2api.domain.account import Tier
from flow2api.domain.catalog import AspectRatio, BaseName, CostUnit, Mode, ModelCatalog, ModelSpec, Size, Wish
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.plugins import models_flow, models_gemini

ENTRIES = tuple(models_gemini.register_models())
SPECS = tuple(entry for entry in ENTRIES if isinstance(entry, ModelSpec))


@pytest.fixture(scope="module")
def catalog() -> ModelCatalog:
    return ModelCatalog((*models_flow.register_models(), *ENTRIES))


def test_no_name_is_one_of_flows(catalog: ModelCatalog) -> None:
    names = {entry.name for entry in ENTRIES}

    assert not names & {entry.name for entry in models_flow.register_models()}
    assert all(name.startswith("google-") for name in names)
    assert all(catalog.describe(name) is not None for name in names)


def test_google_s_own_names_go_on_leading_to_flow(catalog: ModelCatalog) -> None:
    for name in ("gemini-3.1-flash-image", "gemini-3-pro-image", "gemini-omni-1.2-flash", "veo-3.1-generate-preview"):
        assert catalog.resolve(name, Wish()).spec.upstream == "flow"


@pytest.mark.parametrize(
    "name",
    [
        "gemini-3.1-flash-image",
        "gemini-3-pro-image",
        "gemini-3.1-flash-lite-image",
        "gemini-nano-banana-2.1",
        "gemini-omni-1.1-flash",
        "gemini-omni-1.2-flash",
        "veo-3.1",
        "veo-3.1-fast",
        "veo-3.1-lite",
    ],
)
def test_each_model_is_offered_with_google_before_its_name(catalog: ModelCatalog, name: str) -> None:
    spec = catalog.resolve(f"google-{name}", Wish()).spec

    assert spec.upstream == "gemini"
    assert (spec.aspect_ratio, spec.resolution) == (AspectRatio(16, 9), None)
    assert spec.wire["model"].startswith(name)


def test_everything_costs_dollars_and_needs_no_plan() -> None:
    assert all(not spec.is_free and spec.cost_unit is CostUnit.USD_MILLIS for spec in SPECS)
    assert {spec.min_tier for spec in SPECS} == {Tier.FREE}


def test_nothing_is_enlarged_after_it_was_made() -> None:
    assert not any(spec.is_enlarged for spec in SPECS)


@pytest.mark.parametrize(
    ("resolution", "price", "size", "word"),
    [
        (None, 67, Size(1024, 1024), ""),
        ("512", 45, Size(512, 512), "512"),
        ("2k", 101, Size(2048, 2048), "2K"),
        ("4k", 151, Size(4096, 4096), "4K"),
    ],
)
def test_picture_has_the_price_and_the_word_of_its_resolution(
    catalog: ModelCatalog, resolution: str | None, price: int, size: Size, word: str
) -> None:
    wish = Wish(aspect_ratio=AspectRatio(1, 1), resolution=resolution)
    spec = catalog.resolve("google-gemini-3.1-flash-image", wish).spec

    assert (spec.cost(None), spec.size, spec.wire["size"]) == (price, size, word)


def test_video_is_paid_by_the_second(catalog: ModelCatalog) -> None:
    four = catalog.resolve("google-veo-3.1-fast-text", Wish(seconds=4)).spec
    large = catalog.resolve("google-veo-3.1-fast-text", Wish(resolution="4k")).spec

    assert (four.seconds, four.cost(None)) == (4, 600)
    assert (large.seconds, large.cost(None), large.wire["size"]) == (8, 2800, "4k")


@pytest.mark.parametrize(
    ("pictures", "mode"), [(0, Mode.TEXT), (1, Mode.FRAMES), (2, Mode.FRAMES), (3, Mode.REFERENCES)]
)
def test_number_of_pictures_chooses_among_the_ways_of_veo(catalog: ModelCatalog, pictures: int, mode: Mode) -> None:
    assert catalog.resolve("google-veo-3.1", Wish(pictures=pictures)).spec.mode is mode


def test_video_is_gone_on_from_by_the_model_that_made_it_seven_seconds_at_a_time(catalog: ModelCatalog) -> None:
    for name, price in (("google-veo-3.1", 2800), ("google-veo-3.1-fast", 1050)):
        spec = catalog.resolve(name, Wish(has_source=True)).spec
        assert (spec.mode, spec.seconds, spec.cost(None)) == (Mode.EXTEND, 7, price)
        assert spec.rests_as == catalog.resolve(name, Wish()).spec.rests_as
    with pytest.raises(UnsupportedInputError):
        catalog.resolve("google-veo-3.1-lite", Wish(has_source=True))


def test_length_of_who_names_none_is_eight_seconds(catalog: ModelCatalog) -> None:
    building_on = {spec.line for spec in SPECS if spec.mode is Mode.EXTEND}
    videos = [one for one in ENTRIES if isinstance(one, BaseName) and one.seconds and one.line not in building_on]

    assert videos
    assert {catalog.resolve(one.name, _least(one.line)).spec.seconds for one in videos} == {8}


def test_high_quality_is_two_thousand_pixels_at_their_price(catalog: ModelCatalog) -> None:
    high = Wish(resolution="4k", soft_resolution=True)

    assert catalog.resolve("google-gemini-3.1-flash-image", high).spec.cost(None) == 101
    assert catalog.resolve("google-gemini-3-pro-image", high).spec.resolution == "2k"
    assert catalog.resolve("google-gemini-3.1-flash-lite-image", high).spec.resolution is None
    assert catalog.resolve("google-veo-3.1", high).spec.resolution is None


def test_medium_quality_does_not_raise_the_price(catalog: ModelCatalog) -> None:
    wish = Wish(resolution="2k", soft_resolution=True)

    assert catalog.resolve("google-gemini-3.1-flash-image", wish).spec.resolution is None
    assert catalog.resolve("google-gemini-3-pro-image", wish).spec.resolution == "2k"  # it costs the same


def test_limits_are_those_of_google_s_own_models() -> None:
    assert {spec.rests_as for spec in SPECS} == {f"gemini:{spec.wire['model']}" for spec in SPECS}


def test_lines_make_one_kind_of_media() -> None:
    kinds = {(spec.line, spec.kind) for spec in SPECS}

    assert len(kinds) == len({line for line, _ in kinds})
    assert {kind for _, kind in kinds} == {MediaKind.IMAGE, MediaKind.VIDEO}


def _least(line: str) -> Wish:
    """What a line needs at least."""
    spec = next(spec for spec in SPECS if spec.line == line)
    return Wish(pictures=spec.min_images, has_source=spec.mode.needs_source)
