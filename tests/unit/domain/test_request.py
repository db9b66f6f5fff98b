"""From what a door was given to one canonical request."""

from dataclasses import replace

import pytest

from flow2api.domain.account import Tier
from flow2api.domain.catalog import LANDSCAPE, PORTRAIT, BaseName, Masks, Mode, ModelCatalog, Size
from flow2api.domain.errors import UnknownModelError, UnsupportedInputError
from flow2api.domain.generation import GenerationRequest, Input, InputRole
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.request import MAX_PROMPT_CHARACTERS, check_prompt, enlarges, plan_request, plan_route
from flow2api.testing.factories import MediaFactory, enlarging_spec, picture_spec, video_spec

TAKEN, REFUSED, IGNORED = Masks.TAKEN, Masks.REFUSED, Masks.IGNORED
TALL = picture_spec("paint-tall", line="paint", aspect_ratio=PORTRAIT, size=Size(768, 1376))
WIDE = picture_spec("paint-wide", line="paint", aspect_ratio=LANDSCAPE, size=Size(1376, 768))
LARGE = picture_spec(
    "paint-4k", line="paint", aspect_ratio=LANDSCAPE, size=Size(5504, 3072), resolution="4k", min_tier=Tier.PRO
)
FRAMES = video_spec("frames", mode=Mode.FRAMES, min_images=1, max_images=2)
EXTEND = video_spec("longer", mode=Mode.EXTEND, repeats_s=1)
FILM = video_spec()
SHAPES = {
    "wide": {"aspect_ratio": LANDSCAPE, "size": Size(2752, 1536)},
    "tall": {"aspect_ratio": PORTRAIT, "size": Size(1536, 2752)},
}
CATALOG = ModelCatalog([WIDE, TALL, LARGE, FRAMES, EXTEND, BaseName("paint", "paint")])


def plan(model: str = "paint", prompt: str = "a hill", **given: object) -> GenerationRequest:
    return plan_request(CATALOG, **{"model": model, "kind": None, "prompt": prompt, "fields": {}, **given})  # type: ignore[arg-type]


def test_mask_goes_where_the_model_has_it_go() -> None:
    picture, mask = MediaFactory.build(id="media_1"), MediaFactory.build(id="media_2")
    taking, refusing, ignoring = (picture_spec(f"paint-{use}", masks=use) for use in (TAKEN, REFUSED, IGNORED))
    catalog = ModelCatalog([taking, refusing, ignoring])

    def planned(model: str, mask: Media | None = mask) -> GenerationRequest:
        return plan_request(catalog, model=model, kind=None, prompt="a hat", fields={}, pictures=[picture], mask=mask)

    reference = Input("media_1", InputRole.REFERENCE)
    assert planned("paint-taken").inputs == (reference, Input("media_2", InputRole.MASK))
    ignored = planned("paint-ignored")
    assert (ignored.inputs, ignored.warnings) == ((reference,), ("`mask` has no effect here and was ignored.",))
    with pytest.raises(UnsupportedInputError, match="takes no mask") as caught:
        planned("paint-refused")
    assert caught.value.param == "mask"
    assert planned("paint-refused", None).inputs == (reference,)


@pytest.mark.parametrize("prompt", ["", " \n\t", "x" * (MAX_PROMPT_CHARACTERS + 1)])
def test_prompt_must_say_something_and_not_too_much(prompt: str) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        check_prompt(prompt, "messages")
    assert (caught.value.param, caught.value.code) == ("messages", "invalid_prompt")


def test_longest_prompt_is_taken() -> None:
    check_prompt("x" * MAX_PROMPT_CHARACTERS)
    assert len(plan(prompt="x" * MAX_PROMPT_CHARACTERS).prompt) == MAX_PROMPT_CHARACTERS


def test_unknown_model_is_told() -> None:
    with pytest.raises(UnknownModelError):
        plan("pain")


def test_fields_choose_the_model_and_are_echoed() -> None:
    request = plan(fields={"size": "768x1376", "n": 3, "seed": 5}, door="images")
    assert (request.spec, request.model, request.size) == (TALL, "paint", "768x1376")
    assert (request.count, request.seed, request.door, request.seconds) == (3, 5, "images", None)
    assert request.warnings == ()


def test_size_is_that_of_the_model_when_nobody_asks_for_one() -> None:
    assert plan().size == "1376x768"
    assert plan("frames", pictures=[MediaFactory.build(id="a")]).seconds == 8


def test_first_picture_gives_the_ratio() -> None:
    tall = MediaFactory.build(id="a", width=300, height=500)
    assert plan(pictures=[tall]).spec is TALL
    assert plan(pictures=[replace(tall, width=None)]).spec is WIDE


def test_roles_of_inputs_follow_from_the_mode() -> None:
    pictures = [MediaFactory.build(id="a"), MediaFactory.build(id="b")]
    assert plan(pictures=pictures).inputs == (Input("a", InputRole.REFERENCE), Input("b", InputRole.REFERENCE))
    assert plan("frames", pictures=pictures).inputs == (Input("a", InputRole.START), Input("b", InputRole.END))
    source = MediaFactory.build(id="v", kind=MediaKind.VIDEO, upstream_name="clip")
    assert plan("longer", source=source).inputs == (Input("v", InputRole.SOURCE),)


@pytest.mark.parametrize("fields", [{"size": "1280x720"}, {"aspect_ratio": "16:9"}, {"size": "1792x1024"}, {}])
@pytest.mark.parametrize("model", ["longer", "longer-wide", "longer-tall"])
def test_extension_has_the_shape_of_its_video_whatever_is_asked(model: str, fields: dict[str, object]) -> None:
    tall = video_spec("longer-tall", line="longer", mode=Mode.EXTEND, aspect_ratio=PORTRAIT, size=Size(720, 1280))
    wide = video_spec("longer-wide", line="longer", mode=Mode.EXTEND, aspect_ratio=LANDSCAPE, size=Size(1280, 720))
    film = video_spec("film-tall", aspect_ratio=PORTRAIT, size=Size(720, 1280))
    catalog = ModelCatalog([wide, tall, film, BaseName("longer", "longer")])
    source = MediaFactory.build(
        id="v", kind=MediaKind.VIDEO, upstream_name="clip", model="film-tall", width=None, height=None
    )
    asked = {"model": model, "kind": None, "prompt": "on", "source": source}
    request = plan_request(catalog, fields=fields, **asked)  # type: ignore[arg-type]
    assert (request.spec, request.size) == (tall, "720x1280")
    says = [
        f"What builds on another has the shape of its video: {asked} is ignored, and 9:16 is made."
        for asked in fields.values()
    ]
    assert list(request.warnings) == says
    agreeing = plan_request(catalog, fields={"size": "720x1280"}, **asked)  # type: ignore[arg-type]
    assert (agreeing.spec, agreeing.warnings) == (tall, ())
    if fields:
        with pytest.raises(UnsupportedInputError, match="shape of its video"):
            plan_request(catalog, fields={**fields, "strict": True}, **asked)  # type: ignore[arg-type]


def test_what_is_adapted_is_told_and_refused_when_strictness_is_asked_for() -> None:
    assert plan(fields={"size": "700x1300"}).warnings
    with pytest.raises(UnsupportedInputError) as caught:
        plan(fields={"size": "700x1300", "strict": True})
    assert caught.value.code == "not_exact"


def test_vague_wish_for_more_has_a_modest_form_for_pools_without_the_plan() -> None:
    request = plan(fields={"quality": "high"})
    assert request.spec is LARGE
    assert request.modest is not None
    assert (request.modest.spec, request.modest.size) == (WIDE, "1376x768")
    assert request.modest.warnings
    asked = plan(fields={"quality": "high", "size": "1376x768"})
    assert asked.modest is not None
    assert asked.modest.size == "1376x768"
    assert plan(fields={"quality": "high", "strict": True}).modest is None


def test_what_is_told_later_is_told_in_the_modest_form_too() -> None:
    request = plan(fields={"quality": "high"}).warned("One.", "Two.").warned("One.")
    assert request.warnings == ("One.", "Two.")
    assert request.modest is not None
    assert request.modest.warnings[-2:] == ("One.", "Two.")
    assert "No account may make" in request.modest.warnings[0]
    assert request.warned() is request


@pytest.mark.parametrize(("before", "total"), [(4, 11), (15, 22), (None, 8)])
def test_extension_is_as_long_as_what_it_extends_and_what_it_adds(before: int | None, total: int) -> None:
    film = MediaFactory.build(kind=MediaKind.VIDEO, upstream_name="clip")
    assert plan("longer", source=film, source_seconds=before).seconds == total


@pytest.mark.parametrize(("before", "total"), [(4, 4), (7, 7), (None, 8)])
def test_what_is_edited_is_as_long_as_before(before: int | None, total: int) -> None:
    made, changed = video_spec("film"), video_spec("edit", mode=Mode.EDIT, seconds=8, limited_as="film")
    film = MediaFactory.build(kind=MediaKind.VIDEO, upstream_name="clip", model="film")
    request = plan_request(
        ModelCatalog([made, changed]),
        model="edit",
        kind=None,
        prompt="at night",
        fields={},
        source=film,
        source_seconds=before,
    )
    assert request.seconds == total


class TestEnlarging:
    """What was made before is made larger."""

    CATALOG = ModelCatalog(
        [
            WIDE,
            FILM,
            EXTEND,
            *(enlarging_spec(MediaKind.IMAGE, f"more-{one}", line="more", **shape) for one, shape in SHAPES.items()),
            enlarging_spec(MediaKind.VIDEO, "larger"),
            enlarging_spec(MediaKind.VIDEO, "larger-4k", line="larger", size=Size(3840, 2160), resolution="4k"),
            BaseName("more", "more"),
        ]
    )
    PICTURE = MediaFactory.build(
        id="p", model="paint-wide", prompt="a lake", generation_id="gen_1", upstream_name="up", width=1376, height=768
    )
    VIDEO = replace(PICTURE, id="v", model="film", kind=MediaKind.VIDEO, width=None, height=None)

    def planned(self, model: str, **given: object) -> GenerationRequest:
        basis: dict[str, object] = {"model": model, "kind": None, "prompt": "ignored", "fields": {}}
        return plan_request(self.CATALOG, **{**basis, **given})  # type: ignore[arg-type]

    def test_needs_no_prompt_and_echoes_that_of_what_it_enlarges(self) -> None:
        assert enlarges(self.CATALOG.describe("more"))
        assert not enlarges(self.CATALOG.describe("film"))
        assert not enlarges(None)
        request = self.planned("larger", source=self.VIDEO, source_seconds=15, prompt="")
        assert (request.prompt, request.parent_id, request.seconds) == ("a lake", "gen_1", 15)
        assert request.inputs == (Input("v", InputRole.SOURCE),)
        assert self.planned("larger", source=self.VIDEO, parent_id="video_1").parent_id == "video_1"

    def test_picture_that_comes_along_is_what_is_enlarged(self) -> None:
        request = self.planned("more", pictures=[self.PICTURE])
        assert request.inputs == (Input("p", InputRole.SOURCE),)
        assert (request.spec.name, request.seconds, request.size) == ("more-wide", None, "2752x1536")

    def test_shape_is_that_of_what_is_enlarged(self) -> None:
        request = self.planned("more", pictures=[self.PICTURE], fields={"aspect_ratio": "9:16"})
        assert request.spec.name == "more-wide"
        assert request.warnings == (
            "What builds on another has the shape of its picture: 9:16 is ignored, and 16:9 is made.",
        )
        stray = replace(self.PICTURE, model="gone", width=768, height=1376)
        assert self.planned("more", pictures=[stray]).spec.name == "more-tall"

    @pytest.mark.parametrize("fields", [{"resolution": "4k"}, {"size": "3840x2160"}])
    def test_resolution_or_size_says_how_large(self, fields: dict[str, object]) -> None:
        assert self.planned("larger", source=self.VIDEO, fields=fields).spec.name == "larger-4k"
        assert self.planned("larger", source=self.VIDEO).spec.name == "larger"

    def test_is_made_once_and_no_longer(self) -> None:
        request = self.planned("larger", source=self.VIDEO, fields={"n": 3, "seconds": 4})
        assert (request.count, len(request.warnings)) == (1, 2)
        assert "`n` is ignored" in request.warnings[0]
        assert "changes no length" in request.warnings[1]

    @pytest.mark.parametrize(
        ("model", "given", "says", "param"),
        [
            ("more", {}, "needs a picture to enlarge", "image"),
            ("larger", {}, "needs a video to enlarge", "video"),
            ("more", {"pictures": [PICTURE, PICTURE]}, "one picture at a time, and 2 came", "image"),
            ("more", {"pictures": [replace(PICTURE, upstream_name=None)]}, "name one by its link", "image"),
            ("more", {"pictures": [replace(PICTURE, width=2752, height=1536)]}, "as large as 2752x1536", "image"),
            ("larger", {"pictures": [PICTURE]}, "builds on videos", "video"),
            ("larger", {"source": replace(VIDEO, model="longer")}, "put together of several", "video"),
            ("edit", {"source": VIDEO}, "was made by another", "video"),
            ("alien", {"source": VIDEO}, "comes from another", "video"),
        ],
    )
    def test_what_cannot_be_is_refused(self, model: str, given: dict[str, object], says: str, param: str) -> None:
        others = (video_spec("edit", mode=Mode.EDIT), enlarging_spec(MediaKind.VIDEO, "alien", upstream="elsewhere"))
        catalog = ModelCatalog([*self.CATALOG.specs(), *others, BaseName("more", "more")])
        with pytest.raises(UnsupportedInputError, match=says) as caught:
            plan_request(catalog, **{"model": model, "kind": None, "prompt": "", "fields": {}, **given})  # type: ignore[arg-type]
        assert caught.value.param == param


class TestRoute:
    """Several models may stand behind one name."""

    @staticmethod
    def routed(*targets: str, is_strict: bool = False, **given: object) -> GenerationRequest:
        return plan_route(targets, lambda target: plan(target, **given), name="best", is_strict=is_strict)  # type: ignore[arg-type]

    def test_first_that_can_make_it_is_asked_and_the_others_stand_behind_it(self) -> None:
        request = self.routed("paint-tall", "paint-wide")
        assert (request.spec, [other.spec for other in request.others]) == (TALL, [WIDE])
        assert {request.model, *(other.model for other in request.others)} == {"best"}

    def test_those_that_cannot_make_it_are_passed_over(self) -> None:
        request = self.routed("nothing", "paint-tall")
        assert (request.spec, request.others) == (TALL, ())

    def test_when_none_can_the_error_is_that_of_the_first(self) -> None:
        with pytest.raises(UnknownModelError, match="nothing"):
            self.routed("nothing", "naught")

    def test_who_wants_nothing_adapted_gets_the_first_or_none(self) -> None:
        assert self.routed("paint-tall", "paint-wide", is_strict=True).others == ()
        with pytest.raises(UnknownModelError):
            self.routed("nothing", "paint-tall", is_strict=True)

    def test_name_that_a_model_has_of_its_own_stays(self) -> None:
        request = plan_route(["paint-tall"], plan, name="paint-tall", is_strict=False)
        assert request == plan("paint-tall")

    def test_smaller_one_behind_a_large_one_has_the_name_too(self) -> None:
        request = self.routed("paint-4k")
        assert (request.modest is None) == (plan("paint-4k").modest is None)
        assert request.modest is None or request.modest.model == "best"
