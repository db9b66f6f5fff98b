"""The catalog over a small made-up set of models: names, aliases, what is left out, and what the outside is told."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from flow2api.domain.account import Tier
from flow2api.domain.catalog import (
    LANDSCAPE,
    PORTRAIT,
    SQUARE,
    Alias,
    AspectRatio,
    BaseName,
    Entry,
    Mode,
    ModelCatalog,
    ModelSpec,
    Size,
    Wish,
)
from flow2api.domain.catalog.suggestions import NameSuggestions
from flow2api.domain.errors import PluginError, UnknownModelError, UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.testing.factories import video_spec

SIZES = {LANDSCAPE: Size(1280, 720), PORTRAIT: Size(720, 1280), SQUARE: Size(1024, 1024)}


def picture(name: str, ratio: AspectRatio = LANDSCAPE, resolution: str | None = None, line: str = "paint") -> ModelSpec:
    scale = {None: 1, "2k": 2, "4k": 4}[resolution]
    tier = {None: Tier.FREE, "2k": Tier.PRO, "4k": Tier.ULTRA}[resolution]
    size = SIZES[ratio]
    return ModelSpec(
        name=name, upstream="flow", kind=MediaKind.IMAGE, mode=Mode.TEXT, line=line, aspect_ratio=ratio,
        size=Size(size.width * scale, size.height * scale), resolution=resolution, max_images=4, min_tier=tier,
        created_at=1_700_000_000,
    )  # fmt: skip


def video(
    name: str,
    ratio: AspectRatio = LANDSCAPE,
    *,
    seconds: int = 8,
    resolution: str | None = None,
    line: str = "film",
    mode: Mode = Mode.TEXT,
    images: tuple[int, int] = (0, 0),
    same_as: str | None = None,
) -> ModelSpec:
    size = SIZES[ratio] if resolution is None else Size(1920, 1080)
    return ModelSpec(
        name=name, upstream="flow", kind=MediaKind.VIDEO, mode=mode, line=line, aspect_ratio=ratio, size=size,
        resolution=resolution, seconds=seconds, min_images=images[0], max_images=images[1], same_as=same_as,
        min_tier=Tier.PRO if resolution else Tier.FREE, costs={Tier.FREE: 20 if resolution is None else 70},
        created_at=1_700_000_000 + seconds,
    )  # fmt: skip


ENTRIES: tuple[Entry, ...] = (
    picture("paint-landscape"),
    picture("paint-portrait", PORTRAIT),
    picture("paint-square", SQUARE),
    picture("paint-landscape-2k", resolution="2k"),
    picture("paint-landscape-4k", resolution="4k"),
    video("film-landscape"),
    video("film-portrait", PORTRAIT),
    video("film-4s", seconds=4),
    video("film-portrait-4s", PORTRAIT, seconds=4),
    video("film-landscape-8s", same_as="film-landscape"),
    video("film-1080p", resolution="1080p"),
    video("frames", line="frames", mode=Mode.FRAMES, images=(1, 2)),
    video("frames-portrait", PORTRAIT, line="frames", mode=Mode.FRAMES, images=(1, 2)),
    video("blend", line="blend", mode=Mode.REFERENCES, images=(0, 3)),
    video("extend", line="extend", mode=Mode.EXTEND),
    BaseName("paint", "paint"),
    BaseName("film", "film", seconds=8),
    BaseName("film-4s", "film", seconds=4),
    BaseName("frames", "frames", seconds=8),
    Alias("gpt-paint", {None: "paint"}),
    Alias("sora", {None: "film", Mode.FRAMES: "frames", Mode.REFERENCES: "blend", Mode.EXTEND: "extend"}),
    Alias("old-frames", {None: "frames"}, retired=True),
    Alias("mine", {None: "sora"}),
)


@pytest.fixture
def catalog() -> ModelCatalog:
    return ModelCatalog(ENTRIES)


def without(*names: str) -> ModelCatalog:
    return ModelCatalog(ENTRIES, lambda spec: spec.name not in names)


def test_what_a_model_makes_and_which_names_were_withdrawn(catalog: ModelCatalog) -> None:
    assert catalog.kind_of("film-portrait") is MediaKind.VIDEO
    assert catalog.kind_of("gpt-paint") is None
    assert catalog.retired() == {"old-frames": catalog.resolve("frames", Wish(pictures=1)).spec.name}


def name_of(catalog: ModelCatalog, asked: str, **wish: object) -> str:
    return catalog.resolve(asked, Wish(**wish)).spec.name  # type: ignore[arg-type]


# --- names


def test_a_models_own_name_is_that_model(catalog: ModelCatalog) -> None:
    for spec in catalog.specs():
        if catalog.get(spec.name) is spec and spec.mode is not Mode.EXTEND:
            found = catalog.resolve(spec.name, Wish(pictures=spec.min_images))
            assert (found.spec, found.warnings, found.asked) == (spec, (), spec.name)


def test_a_model_that_behaves_like_another_is_still_named_as_asked(catalog: ModelCatalog) -> None:
    assert name_of(catalog, "film-landscape-8s") == "film-landscape-8s"
    assert name_of(catalog, "film-portrait", aspect_ratio=LANDSCAPE) == "film-landscape"


def test_a_base_name_that_is_also_a_model_is_taken_as_the_base(catalog: ModelCatalog) -> None:
    assert isinstance(catalog.get("frames"), BaseName)
    assert name_of(catalog, "frames", pictures=1, picture_ratio=0.5) == "frames-portrait"


def test_the_model_behind_a_base_of_the_same_name_can_be_had_too(catalog: ModelCatalog) -> None:
    spec = catalog.spec("frames")
    assert spec is not None
    assert spec.aspect_ratio == LANDSCAPE
    assert catalog.spec("sora") is None


def test_unknown_name_is_told_with_the_nearest_ones(catalog: ModelCatalog) -> None:
    with pytest.raises(UnknownModelError) as caught:
        catalog.resolve("film-lanscape", Wish())
    assert caught.value.nearest[0] == "film-landscape"
    assert len(caught.value.nearest) <= 3
    assert "film-landscape" in caught.value.message


def test_unknown_name_that_resembles_nothing_has_no_suggestions(catalog: ModelCatalog) -> None:
    for name in ("", "zzz", "\N{SNOWMAN}" * 100_000):
        with pytest.raises(UnknownModelError) as caught:
            catalog.resolve(name, Wish())
        assert caught.value.nearest == ()


def test_suggestions_do_not_mind_the_case(catalog: ModelCatalog) -> None:
    with pytest.raises(UnknownModelError) as caught:
        catalog.resolve("GPT-Paint", Wish())
    assert caught.value.nearest[0] == "gpt-paint"


# --- aliases


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(), "film-landscape"),
        (Wish(pictures=1), "frames"),
        (Wish(pictures=2), "frames"),
        (Wish(pictures=3), "blend"),
        (Wish(has_source=True), "extend"),
    ],
)
def test_alias_leads_by_the_mode_that_the_inputs_imply(catalog: ModelCatalog, wish: Wish, expected: str) -> None:
    assert catalog.resolve("sora", wish).spec.name == expected
    assert catalog.resolve("mine", wish).spec.name == expected, "an alias of an alias keeps its modes"


def test_alias_is_echoed_as_it_was_asked(catalog: ModelCatalog) -> None:
    found = catalog.resolve("mine", Wish(seconds=12))
    assert found.asked == "mine"
    assert found.warnings == ("mine does not make videos of 12 s; 8 s are made.",)


def test_retired_name_warns_and_keeps_what_it_fixed(catalog: ModelCatalog) -> None:
    found = catalog.resolve("old-frames", Wish(pictures=1, picture_ratio=0.5))
    assert found.spec.name == "frames", "the landscape model and not the base, whatever the picture's ratio"
    assert found.warnings == ("The model old-frames was withdrawn; frames serves in its place.",)


def test_parameters_win_over_a_retired_name_too(catalog: ModelCatalog) -> None:
    assert name_of(catalog, "old-frames", pictures=1, aspect_ratio=PORTRAIT) == "frames-portrait"


# --- what is left out


def test_what_the_upstream_does_not_serve_is_unknown() -> None:
    catalog = without("film-landscape-8s")
    assert catalog.get("film-landscape-8s") is None
    with pytest.raises(UnknownModelError):
        catalog.resolve("film-landscape-8s", Wish())


def test_names_that_then_lead_nowhere_drop_out() -> None:
    catalog = without("frames", "frames-portrait", "film-4s", "film-portrait-4s")
    listed = {described.id for described in catalog.listed()}
    assert "film" in listed
    assert listed.isdisjoint({"frames", "film-4s"}), "nothing in the line is what film-4s stands for"
    assert catalog.get("old-frames") is None
    assert catalog.describe("old-frames") is None


def test_alias_without_a_target_for_a_mode_falls_back_to_its_default() -> None:
    catalog = without("extend")
    with pytest.raises(UnsupportedInputError, match="sora does not extend videos"):
        catalog.resolve("sora", Wish(has_source=True))


def test_alias_whose_default_is_not_served_drops_out_even_if_other_modes_are() -> None:
    catalog = without(*(entry.name for entry in ENTRIES if isinstance(entry, ModelSpec) and entry.line == "film"))
    assert catalog.get("sora") is None
    assert catalog.get("mine") is None
    assert name_of(catalog, "frames", pictures=1) == "frames"


def test_aliases_in_a_circle_lead_nowhere() -> None:
    catalog = ModelCatalog([*ENTRIES, Alias("one", {None: "two"}), Alias("two", {None: "one"})])
    assert catalog.get("one") is None
    assert catalog.get("two") is None


def test_alias_without_a_default_serves_by_its_first_target() -> None:
    catalog = ModelCatalog([*ENTRIES, Alias("animate", {Mode.FRAMES: "frames", Mode.REFERENCES: "blend"})])
    assert name_of(catalog, "animate", pictures=1) == "frames"
    assert name_of(catalog, "animate", pictures=3) == "blend"
    with pytest.raises(UnsupportedInputError, match="animate needs at least 1 input picture"):
        catalog.resolve("animate", Wish())


def test_alias_may_come_before_its_target() -> None:
    catalog = ModelCatalog([Alias("early", {None: "later"}), Alias("later", {None: "paint"}), *ENTRIES])
    assert name_of(catalog, "early") == "paint-landscape"


# --- what cannot be right


@pytest.mark.parametrize(
    ("extra", "fault"),
    [
        (picture("paint-square"), "'paint-square' is registered twice"),
        (BaseName("paint", "paint"), "'paint' is registered twice"),
        (Alias("sora", {None: "paint"}), "'sora' is registered twice"),
        (Alias("paint-square", {None: "paint"}), "'paint-square' is also the name of a model"),
        (Alias("paint", {None: "paint-square"}), "'paint' is also the name of a model"),
        (BaseName("paint-square", "film"), "'paint-square' is also a model of another line"),
        (video("misplaced", line="paint"), "'paint' make different kinds"),
        (Alias("void", {}), "'void' has no target"),
        (Alias("", {None: "paint"}), "empty name"),
    ],
)
def test_start_is_refused_when_an_entry_cannot_be_right(extra: Entry, fault: str) -> None:
    with pytest.raises(PluginError, match=fault):
        ModelCatalog([*ENTRIES, extra])


def test_duplicate_is_refused_even_where_the_upstream_serves_neither() -> None:
    with pytest.raises(PluginError, match="paint-square"):
        ModelCatalog([*ENTRIES, picture("paint-square")], lambda spec: spec.name != "paint-square")


# --- kind and inputs


def test_model_of_the_other_kind_is_refused_before_anything_else(catalog: ModelCatalog) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        catalog.resolve("sora", Wish(pictures=9), MediaKind.IMAGE)
    assert caught.value.param == "model"
    assert "makes videos, not images" in caught.value.message
    with pytest.raises(UnsupportedInputError):
        catalog.resolve("paint", Wish(), MediaKind.VIDEO)


@pytest.mark.parametrize(
    ("name", "pictures", "says"),
    [
        ("film", 1, "film takes no input pictures, and 1 came"),
        ("paint", 5, "paint takes at most 4 input pictures, and 5 came"),
        ("frames", 0, "frames needs at least 1 input picture, and 0 came"),
        ("sora", 4, "sora takes at most 3 input pictures, and 4 came"),
    ],
)
def test_wrong_number_of_pictures_is_told_with_the_right_one(
    catalog: ModelCatalog, name: str, pictures: int, says: str
) -> None:
    with pytest.raises(UnsupportedInputError, match=says) as caught:
        catalog.resolve(name, Wish(pictures=pictures), pictures_param="messages")
    assert caught.value.param == "messages"


def test_video_to_extend_must_be_there_exactly_where_it_is_of_use(catalog: ModelCatalog) -> None:
    with pytest.raises(UnsupportedInputError, match="needs a video to extend") as missing:
        catalog.resolve("extend", Wish(), source_param="video_id")
    assert missing.value.param == "video_id"
    edits = ModelCatalog([video("edit", mode=Mode.EDIT)])
    assert edits.resolve("edit", Wish(has_source=True)).spec.mode is Mode.EDIT
    with pytest.raises(UnsupportedInputError, match="needs a video to edit"):
        edits.resolve("edit", Wish())
    with pytest.raises(UnsupportedInputError, match="does not extend videos"):
        catalog.resolve("film", Wish(has_source=True))


def test_refusals_are_not_remembered_as_answers(catalog: ModelCatalog) -> None:
    for param in ("image", "input_reference"):
        with pytest.raises(UnsupportedInputError) as caught:
            catalog.resolve("film", Wish(pictures=1), pictures_param=param)
        assert caught.value.param == param


# --- a vague wish for more pixels


def test_vague_resolution_brings_a_fallback_for_accounts_of_lower_plans(catalog: ModelCatalog) -> None:
    found = catalog.resolve("paint", Wish(resolution="4k", soft_resolution=True))
    assert found.spec.name == "paint-landscape-4k"
    assert found.fallback is not None
    assert found.fallback.spec.name == "paint-landscape"
    assert found.fallback.warnings == ("No account may make paint in the resolution 4k; 1280x720 is made.",)


def test_pixels_that_only_some_plans_may_have_bring_a_fallback_too(catalog: ModelCatalog) -> None:
    large = catalog.resolve("paint", Wish(resolution="4k")).spec.size
    for resolution in (None, "2k", "4k"):
        found = catalog.resolve("paint", Wish(size=large, resolution=resolution, soft_resolution=True))
        assert (found.spec.name, found.warnings) == ("paint-landscape-4k", ())
        assert found.fallback is not None
        assert found.fallback.spec.name == "paint-landscape"


def test_plainly_asked_resolution_is_never_given_up(catalog: ModelCatalog) -> None:
    found = catalog.resolve("paint", Wish(resolution="4k"))
    assert found.spec.min_tier is Tier.ULTRA
    assert found.fallback is None


def test_vague_resolution_never_raises_the_price(catalog: ModelCatalog) -> None:
    found = catalog.resolve("film", Wish(resolution="1080p", soft_resolution=True))
    assert found.spec.name == "film-landscape"
    assert found.warnings == ("film in 1080p costs more, which quality alone does not ask for; 1280x720 is made.",)
    assert catalog.resolve("film", Wish(resolution="1080p")).spec.name == "film-1080p"


def test_line_may_say_what_high_quality_stands_for_and_what_it_costs() -> None:
    plain, better, best = (
        replace(picture(f"oil-{word}", resolution=word, line="oil"), min_tier=Tier.FREE, costs={Tier.FREE: price})
        for word, price in ((None, 10), ("2k", 15), ("4k", 30))
    )
    catalog = ModelCatalog([plain, replace(better, is_high_quality=True), best, BaseName("oil", "oil")])
    high, medium = (Wish(resolution=word, soft_resolution=True) for word in ("4k", "2k"))

    assert (catalog.resolve("oil", high).spec.name, catalog.resolve("oil", high).warnings) == ("oil-2k", ())
    assert catalog.resolve("oil", medium).spec.name == "oil-None"
    assert catalog.resolve("oil-None", high).spec.name == "oil-2k"
    assert catalog.resolve("oil-4k", high).spec.name == "oil-4k"
    assert catalog.resolve("oil", Wish(resolution="4k")).spec.name == "oil-4k"


# --- what the outside is told


def test_bases_and_models_are_listed_once_and_in_a_stable_order(catalog: ModelCatalog) -> None:
    ids = [described.id for described in catalog.listed()]
    assert ids[:4] == ["paint", "film", "film-4s", "frames"]
    assert len(ids) == len(set(ids))
    assert set(ids) == {entry.name for entry in ENTRIES if not isinstance(entry, Alias)}
    assert ids == [described.id for described in ModelCatalog(ENTRIES).listed()]


def test_size_alone_spends_no_credits_on_enlarging(catalog: ModelCatalog) -> None:
    found = catalog.resolve("film", Wish(size=Size(1920, 1080)))
    assert found.spec.resolution is None
    assert "1280x720" in found.warnings[0]


def test_base_is_described_by_what_its_line_can_do(catalog: ModelCatalog) -> None:
    described = catalog.describe("film")
    assert described is not None
    assert described.kind is MediaKind.VIDEO
    assert described.modes == (Mode.TEXT,)
    assert described.aspect_ratios == (LANDSCAPE, PORTRAIT)
    assert described.sizes == (Size(1280, 720), Size(720, 1280))
    assert described.resolutions == ("720p", "1080p")
    assert described.seconds == (4, 8)
    assert (described.min_tier, dict(described.costs)) == (Tier.FREE, {Tier.FREE: 20})
    assert described.created == 1_700_000_004
    assert described.upstream == "flow"
    assert described.aliases == ("sora", "mine")
    assert not described.deprecated
    assert described.warning is None


def test_model_is_described_by_itself(catalog: ModelCatalog) -> None:
    described = catalog.describe("paint-landscape-4k")
    assert described is not None
    assert described.aspect_ratios == (LANDSCAPE,)
    assert described.resolutions == ("4k",)
    assert described.min_tier is Tier.ULTRA
    assert described.modes == (Mode.TEXT, Mode.REFERENCES)
    assert described.max_images == 4


def test_alias_is_described_by_everything_that_it_may_lead_to(catalog: ModelCatalog) -> None:
    described = catalog.describe("sora")
    assert described is not None
    assert described.id == "sora"
    assert set(described.modes) == set(Mode) - {Mode.EDIT, Mode.ENLARGE}
    assert (described.min_images, described.max_images) == (0, 3)
    assert described.seconds == (4, 8)


def test_retired_name_is_described_as_deprecated(catalog: ModelCatalog) -> None:
    described = catalog.describe("old-frames")
    assert described is not None
    assert described.deprecated
    assert described.warning == "The model old-frames was withdrawn; frames serves in its place."


def test_resolving_stays_bounded_in_memory(catalog: ModelCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.domain.catalog.model_catalog.KEPT_RESOLUTIONS", 10)
    for step in range(100):
        catalog.resolve("paint", Wish(picture_ratio=1 + step / 100))
    assert len(catalog._resolved) <= 10


def test_looking_for_similar_names_stays_bounded_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.domain.catalog.suggestions.KEPT", 5)
    suggestions = NameSuggestions(["paint", "film"])
    for step in range(50):
        suggestions.nearest(f"unheard-of-{step}")
    assert suggestions.nearest("pain") == suggestions.nearest("pain") == ("paint",)
    assert len(suggestions._found) <= 5


def test_empty_catalog_knows_nothing() -> None:
    empty: Iterable[Entry] = ()
    catalog = ModelCatalog(empty)
    assert catalog.listed() == ()
    with pytest.raises(UnknownModelError):
        catalog.resolve("paint", Wish())


def test_builder_is_the_model_that_needs_nothing_more_than_what_is_built_on() -> None:
    catalog = ModelCatalog(
        [
            video_spec("longer", mode=Mode.EXTEND),
            video_spec("longer-with-picture", mode=Mode.EXTEND, min_images=1, max_images=1),
        ]
    )

    assert catalog.builder("longer", Wish(has_source=True)) is catalog.spec("longer")
    assert catalog.builder("longer-with-picture", Wish(has_source=True)) is None
    assert catalog.builder("nothing", Wish(has_source=True)) is None
