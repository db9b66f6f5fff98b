"""The packaged list of Flow's models and the names that lead to them, in both wire eras."""

import time
from collections import Counter

import pluggy
import pytest

from flow2api import hookspecs
from flow2api.domain.account import Tier
from flow2api.domain.catalog import (
    LANDSCAPE,
    PORTRAIT,
    SQUARE,
    Alias,
    BaseName,
    Mode,
    ModelCatalog,
    ModelSpec,
    Size,
    Wish,
)
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.plugins import models_flow

ENTRIES = tuple(models_flow.register_models())
SPECS = tuple(entry for entry in ENTRIES if isinstance(entry, ModelSpec))
RETIRED = tuple(entry for entry in ENTRIES if isinstance(entry, Alias) and entry.retired)
FIXED = tuple(entry for entry in ENTRIES if isinstance(entry, Alias) and not entry.retired)
ERAS = ("seed", "2026-06")


def catalog_of(era: str) -> ModelCatalog:
    return ModelCatalog(ENTRIES, lambda spec: era in spec.wire["keys"])


@pytest.fixture(scope="module")
def catalog() -> ModelCatalog:
    return catalog_of("2026-06")


def spec_of(catalog: ModelCatalog, name: str) -> ModelSpec:
    spec = catalog.spec(name)
    assert spec is not None
    return spec


def fitting(entry_pictures: int, mode: Mode) -> Wish:
    return Wish(pictures=entry_pictures, has_source=mode.needs_source)


# --- the list as such


def test_is_a_plugin_that_registers_through_the_hook() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(models_flow)
    manager.check_pending()
    (registered,) = manager.hook.register_models()
    assert len(list(registered)) == len(ENTRIES)


def test_has_every_living_id_base_name_and_retired_id() -> None:
    assert len(SPECS) == 228
    assert Counter(spec.kind for spec in SPECS) == {MediaKind.IMAGE: 42, MediaKind.VIDEO: 186}
    assert len(RETIRED) == 44
    assert sum(isinstance(entry, BaseName) for entry in ENTRIES) == 61
    assert sum(spec.same_as is not None for spec in SPECS) == 82


def test_reading_the_list_is_quick() -> None:
    def seconds() -> float:
        began = time.process_time()
        models_flow.register_models()
        return time.process_time() - began

    assert min(seconds() for _ in range(5)) < 0.1, "a few milliseconds on an idle machine"


def test_everything_lives_in_the_later_era(catalog: ModelCatalog) -> None:
    assert len(catalog.specs()) == 228
    assert all(catalog.describe(entry.name) is not None for entry in ENTRIES)


def test_the_seed_era_has_a_model_for_each_of_its_ways_to_work() -> None:
    seed = catalog_of("seed")
    assert {spec.wire["mode"] for spec in seed.specs()} == {"t2i", "t2v", "i2v", "r2v"}
    assert all(spec.resolution is None for spec in seed.specs())
    for name in ("gpt-image-1", "sora-2", "veo_3_1_i2v_s_fast_fl", "veo_3_1_r2v_fast"):
        assert seed.get(name) is not None
    for name in ("veo_3_1_t2v", "veo_3_1_t2v_fast_4s", "omni", "veo_3_1_extend", "sora-2-pro"):
        assert seed.get(name) is None, name


def test_models_of_one_line_differ_only_in_ratio_resolution_and_length() -> None:
    traits: dict[str, set[object]] = {}
    for spec in SPECS:
        shared = (spec.kind, spec.mode, spec.min_images, spec.max_images, spec.upstream, spec.wire["mode"])
        traits.setdefault(spec.line, set()).add(shared)
    assert all(len(shared) == 1 for shared in traits.values())


def test_models_that_are_not_copies_are_told_apart_by_their_shape() -> None:
    shapes = Counter(
        (spec.line, spec.aspect_ratio, spec.resolution, spec.seconds) for spec in SPECS if spec.same_as is None
    )
    assert set(shapes.values()) == {1}


def test_a_copy_behaves_like_what_it_copies(catalog: ModelCatalog) -> None:
    for spec in SPECS:
        if spec.same_as is None:
            continue
        original = spec_of(catalog, spec.same_as)
        assert original.same_as is None
        assert (original.line, original.aspect_ratio, original.resolution, original.seconds) == (
            spec.line, spec.aspect_ratio, spec.resolution, spec.seconds,
        )  # fmt: skip
        assert original.wire["keys"]["2026-06"] == spec.wire["keys"]["2026-06"]


@pytest.mark.parametrize("era", ERAS)
def test_every_living_name_can_be_asked_for(era: str) -> None:
    catalog = catalog_of(era)
    for described in catalog.listed():
        found = catalog.resolve(described.id, fitting(described.min_images, described.modes[0]))
        assert found.warnings == ()
        assert era in found.spec.wire["keys"]


def test_every_base_name_has_both_orientations(catalog: ModelCatalog) -> None:
    for entry in ENTRIES:
        if isinstance(entry, BaseName):
            described = catalog.describe(entry.name)
            assert described is not None
            for ratio in (LANDSCAPE, PORTRAIT):
                wish = Wish(
                    aspect_ratio=ratio,
                    pictures=described.min_images,
                    has_source=described.modes[0].needs_source,
                )
                spec = catalog.resolve(entry.name, wish).spec
                assert spec.aspect_ratio == ratio
                assert (spec.resolution, spec.seconds) == (entry.resolution, entry.seconds)


@pytest.mark.parametrize(
    ("base", "landscape", "portrait"),
    [
        ("veo_3_1_t2v_fast", "veo_3_1_t2v_fast_landscape", "veo_3_1_t2v_fast_portrait"),
        ("veo_3_1_t2v_fast_4s", "veo_3_1_t2v_fast_4s", "veo_3_1_t2v_fast_portrait_4s"),
        ("veo_3_1_t2v_lite_4s", "veo_3_1_t2v_lite_4s_landscape", "veo_3_1_t2v_lite_4s_portrait"),
        ("veo_3_1_t2v_4s_4k", "veo_3_1_t2v_4s_4k", "veo_3_1_t2v_portrait_4s_4k"),
        ("veo_3_1_t2v_fast_ultra", "veo_3_1_t2v_fast_ultra", "veo_3_1_t2v_fast_portrait_ultra"),
        (
            "imagen-4.0-generate-preview",
            "imagen-4.0-generate-preview-landscape",
            "imagen-4.0-generate-preview-portrait",
        ),
    ],
)
def test_irregular_base_names_lead_to_their_own_models(
    catalog: ModelCatalog, base: str, landscape: str, portrait: str
) -> None:
    assert catalog.resolve(base, Wish()).spec.name == landscape
    assert catalog.resolve(base, Wish(aspect_ratio=PORTRAIT)).spec.name == portrait


# --- retired names and clients' names


@pytest.mark.parametrize("era", ERAS)
def test_retired_id_is_served_by_a_model_of_its_ratio_with_a_warning(era: str) -> None:
    catalog = catalog_of(era)
    living = [alias for alias in RETIRED if catalog.get(alias.name) is not None]
    assert len(living) == (44 if era == "2026-06" else 14)
    for alias in living:
        successor = spec_of(catalog, next(iter(alias.targets.values())))
        # A picture of the other orientation: what the old name fixed stays fixed.
        portrait = "portrait" in alias.name
        found = catalog.resolve(alias.name, Wish(pictures=successor.min_images, picture_ratio=2.0 if portrait else 0.5))
        assert found.spec == successor
        assert found.spec.aspect_ratio == (PORTRAIT if portrait else LANDSCAPE)
        assert [warning for warning in found.warnings if "withdrawn" in warning]


def test_the_ids_of_the_seed_era_all_answer_in_it() -> None:
    catalog = catalog_of("seed")
    for name, pictures in (
        ("gemini-2.5-flash-image-landscape", 0),
        ("veo_2_0_t2v_portrait", 0),
        ("veo_3_1_i2v_s_fast_fl_portrait", 2),
        ("veo_2_1_fast_d_15_i2v_landscape", 1),
        ("veo_3_0_r2v_fast_landscape", 3),
    ):
        assert "seed" in catalog.resolve(name, Wish(pictures=pictures)).spec.wire["keys"]


def test_clients_names_answer_without_a_warning_and_are_not_listed(catalog: ModelCatalog) -> None:
    listed = {described.id for described in catalog.listed()}
    for alias in FIXED:
        assert alias.name not in listed
        assert catalog.resolve(alias.name, Wish()).warnings == ()


@pytest.mark.parametrize("era", ERAS)
def test_every_alias_is_told_by_the_one_model_that_it_leads_to(era: str) -> None:
    catalog = catalog_of(era)
    told = Counter(name for described in catalog.listed() for name in described.aliases)
    assert told == {alias.name: 1 for alias in (*RETIRED, *FIXED) if catalog.get(alias.name) is not None}
    for described in catalog.listed():
        wish = fitting(described.min_images, described.modes[0])
        for name in described.aliases:
            assert catalog.resolve(name, wish).spec == catalog.resolve(described.id, wish).spec, name


@pytest.mark.parametrize(
    "name",
    [
        "gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2", "gpt-image-2.5-sunburst",
        "gpt-image-2.5-flare", "gpt-image-2.6-sunburst", "gpt-image-2.6-flare", "chatgpt-image-latest", "dall-e-2",
        "dall-e-3",
    ],
)  # fmt: skip
def test_openai_picture_names_need_no_paid_plan(catalog: ModelCatalog, name: str) -> None:
    found = catalog.resolve(name, Wish(size=Size(1024, 1024)), MediaKind.IMAGE)
    assert (found.spec.aspect_ratio, found.spec.min_tier, found.warnings) == (SQUARE, Tier.FREE, ())
    assert found.spec.is_free


@pytest.mark.parametrize(
    ("wish", "expected", "warnings"),
    [
        (Wish(), "veo_3_1_t2v_fast_landscape", 0),
        (Wish(seconds=4, size=Size(720, 1280)), "veo_3_1_t2v_fast_portrait_4s", 0),
        (Wish(seconds=8, size=Size(1280, 720)), "veo_3_1_t2v_fast_landscape", 0),
        (Wish(seconds=12, size=Size(1280, 720)), "veo_3_1_t2v_fast_landscape", 1),
        (Wish(size=Size(1024, 1792)), "veo_3_1_t2v_fast_portrait", 1),
        (Wish(pictures=1, picture_ratio=0.6), "veo_3_1_i2v_s_fast_portrait_fl", 0),
        (Wish(pictures=2, seconds=6), "veo_3_1_i2v_s_fast_6s_fl", 0),
        (Wish(pictures=3), "veo_3_1_r2v_fast", 0),
        (Wish(has_source=True), "veo_3_1_extend", 0),
    ],
)
def test_sora_is_served_with_its_sizes_and_lengths(
    catalog: ModelCatalog, wish: Wish, expected: str, warnings: int
) -> None:
    found = catalog.resolve("sora-2", wish, MediaKind.VIDEO)
    assert (found.spec.name, len(found.warnings)) == (expected, warnings)


def test_more_references_than_the_line_takes_are_refused(catalog: ModelCatalog) -> None:
    with pytest.raises(UnsupportedInputError, match="at most 3"):
        catalog.resolve("sora-2", Wish(pictures=4))
    assert catalog.resolve("gpt-image-1", Wish(pictures=10)).spec.max_images == 10


# --- what models carry


@pytest.mark.parametrize(
    ("name", "free", "ultra"),
    [
        ("gemini-3.1-flash-image-square-4k", 0, 0),
        ("veo_3_1_t2v_fast_landscape", 20, 10),
        ("veo_3_1_t2v_fast_1080p", 70, 60),
        ("veo_3_1_t2v_lite_landscape", 10, 10),
        ("veo_3_1_t2v_landscape", 100, 100),
        ("veo_3_1_t2v_4k", 150, 150),
        ("veo_3_1_t2v_fast_ultra_relaxed", 0, 0),
        ("veo_3_1_extend", 20, 10),
        ("omni", 25, 25),
    ],
)
def test_price_depends_on_plan_and_enlarging(catalog: ModelCatalog, name: str, free: int, ultra: int) -> None:
    spec = spec_of(catalog, name)
    assert (spec.cost(Tier.FREE), spec.cost(Tier.ULTRA)) == (free, ultra)


def test_least_plan_follows_what_the_name_asks_for(catalog: ModelCatalog) -> None:
    assert spec_of(catalog, "gemini-3.1-flash-image-square-2k").min_tier is Tier.PRO
    assert spec_of(catalog, "gemini-3.1-flash-image-square-4k").min_tier is Tier.ULTRA
    assert spec_of(catalog, "veo_3_1_t2v_1080p").min_tier is Tier.PRO
    assert spec_of(catalog, "veo_3_1_t2v_fast_ultra").min_tier is Tier.ULTRA
    assert spec_of(catalog, "veo_3_1_t2v_fast_landscape").min_tier is Tier.FREE


def test_sizes_follow_ratio_and_resolution(catalog: ModelCatalog) -> None:
    sizes = {
        "gemini-3.1-flash-image-landscape": Size(1376, 768),
        "gemini-3.1-flash-image-portrait-2k": Size(1536, 2752),
        "veo_3_1_t2v_fast_portrait": Size(720, 1280),
        "veo_3_1_t2v_portrait_1080p": Size(1080, 1920),
        "veo_3_1_t2v_4k": Size(3840, 2160),
    }
    assert {name: spec_of(catalog, name).size for name in sizes} == sizes


def test_wire_holds_what_each_way_of_asking_needs(catalog: ModelCatalog) -> None:
    assert spec_of(catalog, "veo_3_1_i2v_s_fast_fl").wire == {
        "mode": "i2v",
        "keys": {"2026-06": "veo_3_1_i2v_s_fast_fl", "seed": "veo_3_1_i2v_s_fast_fl"},
        "aspect": "VIDEO_ASPECT_RATIO_LANDSCAPE",
        "v2_model_config": False,
        "enlarge": None,
        "key_by_tier": {"PRO": "veo_3_1_i2v_s_fast_fl", "ULTRA": "veo_3_1_i2v_s_fast_ultra_fl"},
        "single_image_key": "veo_3_1_i2v_s_fast",
        "single_image_key_by_tier": {"PRO": "veo_3_1_i2v_s_fast", "ULTRA": "veo_3_1_i2v_s_fast_ultra"},
    }
    assert spec_of(catalog, "omni").wire["reference_key"] == "abra_r2v_8s"
    assert spec_of(catalog, "gemini-3.0-pro-image-square-4k").wire["enlarge"] == {
        "target": "UPSAMPLE_IMAGE_RESOLUTION_4K"
    }
    assert spec_of(catalog, "veo_3_1_t2v_4k").wire["enlarge"] == {
        "target": "VIDEO_RESOLUTION_4K",
        "key": "veo_3_1_upsampler_4k",
    }
    assert spec_of(catalog, "veo_3_1_t2v_fast_landscape").wire["v2_model_config"] is True


def test_quality_of_a_picture_gives_way_where_no_account_may(catalog: ModelCatalog) -> None:
    found = catalog.resolve("gpt-image-1", Wish(resolution="4k", soft_resolution=True, size=Size(1024, 1024)))
    assert found.spec.name == "gemini-3.1-flash-image-square-4k"
    assert found.fallback is not None
    assert found.fallback.spec.name == "gemini-3.1-flash-image-square"


def test_quality_of_a_video_spends_nothing_extra(catalog: ModelCatalog) -> None:
    found = catalog.resolve("sora-2", Wish(resolution="4k", soft_resolution=True))
    assert found.spec.name == "veo_3_1_t2v_fast_landscape"
    assert len(found.warnings) == 1


class TestEnlarging:
    """What an account has made is enlarged without being made anew."""

    ENLARGING = tuple(spec for spec in SPECS if spec.enlarges)

    @pytest.mark.parametrize(
        ("name", "wish", "size", "tier", "price"),
        [
            ("flow-upscale-image", Wish(has_source=True), Size(2752, 1536), Tier.PRO, 0),
            ("flow-upscale-image", Wish(has_source=True, aspect_ratio=SQUARE), Size(2048, 2048), Tier.PRO, 0),
            ("flow-upscale-image", Wish(has_source=True, resolution="4k"), Size(5504, 3072), Tier.ULTRA, 0),
            ("flow-upscale-video", Wish(has_source=True), Size(1920, 1080), Tier.PRO, 50),
            ("flow-upscale-video", Wish(has_source=True, size=Size(2160, 3840)), Size(2160, 3840), Tier.ULTRA, 50),
        ],
    )
    def test_resolution_and_shape_choose_the_model(
        self, catalog: ModelCatalog, name: str, wish: Wish, size: Size, tier: Tier, price: int
    ) -> None:
        found = catalog.resolve(name, wish)
        assert found.warnings == ()
        assert (found.spec.size, found.spec.min_tier, found.spec.cost(Tier.ULTRA)) == (size, tier, price)
        assert found.spec.enlarges
        assert not found.spec.is_enlarged

    def test_asks_for_what_a_model_that_enlarges_asks_for_in_its_second_call(self) -> None:
        targets = {str(spec.wire["enlarge"]) for spec in SPECS if spec.is_enlarged}
        assert {str(spec.wire["enlarge"]) for spec in self.ENLARGING} == targets

    def test_there_is_one_for_each_shape_in_which_flow_makes_anything(self) -> None:
        made = {(spec.kind, spec.aspect_ratio) for spec in SPECS if spec.mode is not Mode.ENLARGE}
        assert {(spec.kind, spec.aspect_ratio) for spec in self.ENLARGING} == made

    def test_the_seed_era_has_none(self) -> None:
        assert not any(spec.enlarges for spec in catalog_of("seed").specs())
