"""Every documented spelling comes to the same canonical wish, and nothing but our own refusal ever comes out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.catalog import FOUR_THREE, LANDSCAPE, PORTRAIT, SQUARE, THREE_FOUR, AspectRatio, Size, Wish
from flow2api.domain.errors import RequestError, UnsupportedInputError
from flow2api.domain.parameters import ParsedParameters, read_wish

RATIO_SPELLINGS = {
    LANDSCAPE: ("16:9", "landscape"),
    PORTRAIT: ("9:16", "portrait"),
    SQUARE: ("1:1", "square"),
    FOUR_THREE: ("4:3", "four-three"),
    THREE_FOUR: ("3:4", "three-four"),
}
RESOLUTIONS = ("1k", "2k", "4k", "720p", "1080p")
QUALITIES = {
    "low": None, "standard": None, "auto": None, "medium": "2k",
    "high": "4k", "hd": "4k", "ultra": "4k", "xhigh": "4k", "max": "4k",
}  # fmt: skip
QUALITY_WORDS = {"standard": "medium", "auto": None, "hd": "high", "ultra": "high"}
"""What OpenAI calls them; the others are its own words."""
RATIO_FIELDS = ("aspectRatio", "aspect_ratio", "aspect")
RESOLUTION_FIELDS = ("imageSize", "image_size", "resolution")
PLACES: tuple[tuple[str, ...], ...] = (
    (),
    ("generationConfig",),
    ("generation_config",),
    ("generationConfig", "imageConfig"),
    ("generation_config", "image_config"),
    ("imageConfig",),
    ("image_config",),
    ("extra_body",),
    ("extra_body", "imageConfig"),
    ("extra_body", "generationConfig"),
    ("extra_body", "generationConfig", "imageConfig"),
)


def at(place: tuple[str, ...], **fields: object) -> dict[str, Any]:
    for name in reversed(place):
        fields = {name: fields}
    return fields


def wish_of(fields: dict[str, Any], *, text_values: bool = False) -> Wish:
    parsed = read_wish(fields, text_values=text_values)
    assert parsed.warnings == ()
    return parsed.wish


def refusal(fields: dict[str, Any], **options: Any) -> UnsupportedInputError:
    with pytest.raises(UnsupportedInputError) as caught:
        read_wish(fields, **options)
    return caught.value


places = st.sampled_from(PLACES)
cases = st.sampled_from((str.lower, str.upper, str.title))


@given(st.sampled_from(list(RATIO_SPELLINGS)), places, st.sampled_from(RATIO_FIELDS), st.data())
def test_every_spelling_of_a_ratio_is_the_same_wish(
    ratio: AspectRatio, place: tuple[str, ...], field: str, data: st.DataObject
) -> None:
    words = data.draw(st.sampled_from(RATIO_SPELLINGS[ratio]))
    spelled = words.replace(":", data.draw(st.sampled_from((":", "/", "x", "\N{FULLWIDTH COLON}", " : "))))
    case = data.draw(cases)
    fields = at(place, **{field: f" {case(spelled)} "})
    assert wish_of(fields) == Wish(aspect_ratio=ratio)
    if len(place) == 0:
        assert wish_of(fields, text_values=True) == Wish(aspect_ratio=ratio)


@given(st.sampled_from(RESOLUTIONS), places, st.sampled_from(RESOLUTION_FIELDS), cases)
def test_every_spelling_of_a_resolution_is_the_same_wish(
    word: str, place: tuple[str, ...], field: str, case: Any
) -> None:
    assert wish_of(at(place, **{field: case(word)})) == Wish(resolution=word)


@given(st.sampled_from(list(QUALITIES)), places, cases)
def test_quality_is_a_vague_wish_for_a_resolution(quality: str, place: tuple[str, ...], case: Any) -> None:
    resolution = QUALITIES[quality]
    wished = wish_of(at(place, quality=case(quality)))
    assert wished == Wish(
        resolution=resolution, soft_resolution=resolution is not None, quality=QUALITY_WORDS.get(quality, quality)
    )


@given(
    st.integers(64, 8192),
    st.integers(64, 8192),
    st.sampled_from(("x", "X", "*", "\N{MULTIPLICATION SIGN}", " x ")),
    st.booleans(),
)
def test_every_spelling_of_a_size_is_the_same_wish(width: int, height: int, by: str, text_values: bool) -> None:
    assert wish_of({"size": f"{width}{by}{height}"}, text_values=text_values) == Wish(size=Size(width, height))


@given(st.integers(1, 60), st.sampled_from(("seconds", "duration", "durationSeconds", "duration_seconds")), st.data())
def test_every_spelling_of_a_length_is_the_same_wish(seconds: int, field: str, data: st.DataObject) -> None:
    spelled = data.draw(st.sampled_from((seconds, float(seconds), str(seconds), f"{seconds}s", f" {seconds}.0 ")))
    assert wish_of({field: spelled}) == Wish(seconds=seconds)
    assert wish_of({field: str(seconds)}, text_values=True) == Wish(seconds=seconds)
    assert wish_of({"generationConfig": {field: spelled}}) == Wish(seconds=seconds)


def test_a_size_inside_a_configuration_may_be_pixels_or_a_resolution() -> None:
    for place in PLACES[1:]:
        assert wish_of(at(place, size="1280x720")) == Wish(size=Size(1280, 720))
        assert wish_of(at(place, size="2K")) == Wish(resolution="2k")


def test_a_resolution_given_as_quality_is_a_plain_wish() -> None:
    assert wish_of({"quality": "2K"}) == Wish(resolution="2k")


def test_what_is_left_to_us_is_no_wish() -> None:
    fields = {
        "size": "auto",
        "aspect_ratio": "auto",
        "quality": "auto",
        "resolution": "auto",
        "seconds": None,
        "n": None,
    }
    assert read_wish(fields).wish == Wish()
    assert read_wish(dict.fromkeys(fields, ""), text_values=True).wish == Wish()
    assert read_wish({}) == ParsedParameters(wish=Wish())


def test_fields_that_a_form_left_empty_are_no_wish() -> None:
    names = ("size", "seconds", "duration", "seed", "n", "strict", "quality", "aspect_ratio", "image_size")
    parsed = read_wish(dict.fromkeys(names, " "), text_values=True)
    assert parsed == ParsedParameters(wish=Wish(), used=frozenset(names))


def test_a_place_that_leaves_the_ratio_to_us_leaves_it_to_the_next() -> None:
    fields = {"generationConfig": {"aspectRatio": "auto", "imageConfig": {"size": "auto"}}, "aspect_ratio": "1:1"}
    assert wish_of(fields) == Wish(aspect_ratio=SQUARE)


def test_inputs_go_into_the_wish() -> None:
    parsed = read_wish({}, pictures=2, picture_ratio=1.5, has_source=True)
    assert parsed.wish == Wish(pictures=2, picture_ratio=1.5, has_source=True)


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_picture_ratio_says_nothing(ratio: float) -> None:
    assert read_wish({}, picture_ratio=ratio).wish == Wish()


# --- which of several wins

RATIO_ORDER: tuple[dict[str, Any], ...] = (
    {"generationConfig": {"imageConfig": {"aspectRatio": "1:1"}}},
    {"generationConfig": {"aspectRatio": "4:3"}},
    {"imageConfig": {"aspectRatio": "9:16"}},
    {"extra_body": {"generationConfig": {"imageConfig": {"aspectRatio": "3:4"}}}},
    {"size": "1600x900"},
    {"aspect_ratio": "21:9"},
)


def merged(*parts: dict[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            whole[name] = {**whole.get(name, {}), **value} if isinstance(value, dict) else value
    return whole


@pytest.mark.parametrize("first", range(len(RATIO_ORDER)))
def test_the_first_place_in_the_order_decides_the_ratio(first: int) -> None:
    parsed = read_wish(merged(*RATIO_ORDER[first:]))
    alone = read_wish(RATIO_ORDER[first])
    assert parsed.wish == alone.wish
    assert len(parsed.warnings) == len(RATIO_ORDER) - first - 1
    assert all("is ignored, because" in warning for warning in parsed.warnings)


def test_ratio_and_resolution_are_looked_for_each_on_its_own() -> None:
    fields = {"generationConfig": {"imageConfig": {"imageSize": "2K"}}, "size": "720x1280", "quality": "standard"}
    assert wish_of(fields) == Wish(resolution="2k", size=Size(720, 1280), quality="medium")


def test_size_of_the_request_comes_before_its_ratio_and_quality_before_its_resolution() -> None:
    parsed = read_wish({"size": "1024x1024", "aspect_ratio": "16:9", "quality": "medium", "image_size": "4K"})
    assert parsed.wish == Wish(size=Size(1024, 1024), resolution="2k", soft_resolution=True, quality="medium")
    assert parsed.warnings == (
        "aspect_ratio is ignored, because size says otherwise.",
        "image_size is ignored, because quality says otherwise.",
    )


def test_quality_that_stands_for_nothing_leaves_the_word_to_the_next() -> None:
    assert wish_of({"quality": "standard", "image_size": "2K"}) == Wish(resolution="2k", quality="medium")


@pytest.mark.parametrize("quality", ["2K", "auto", "superb", None])
def test_what_is_no_word_for_quality_asks_for_none(quality: str | None) -> None:
    assert read_wish({"quality": quality}).wish.quality is None


def test_first_of_several_words_for_quality_wins() -> None:
    assert wish_of({"quality": "low", "extra_body": {"quality": "high"}}).quality == "high"


def test_two_spellings_of_one_thing_are_no_contradiction() -> None:
    assert wish_of({"size": "1280x720", "aspect_ratio": "16:9", "aspectRatio": "landscape"}).size == Size(1280, 720)
    assert wish_of({"seconds": "8", "duration": 8}) == Wish(seconds=8)


def test_sizes_of_one_ratio_are_a_contradiction_all_the_same() -> None:
    parsed = read_wish({"imageConfig": {"size": "1280x720"}, "size": "640x360"})
    assert parsed.wish.size == Size(1280, 720)
    assert parsed.warnings == ("size is ignored, because imageConfig.size says otherwise.",)


def test_contradicting_lengths_and_seeds_are_told() -> None:
    parsed = read_wish({"seconds": "8", "duration": 4, "seed": 1, "generationConfig": {"seed": 2}})
    assert (parsed.wish.seconds, parsed.seed) == (8, 2)
    assert parsed.warnings == (
        "duration is ignored, because seconds says otherwise.",
        "seed is ignored, because generationConfig.seed says otherwise.",
    )


@pytest.mark.parametrize(("asked", "taken"), [("360p", "720p"), ("1440p", "1080p"), ("8K", "4k")])
def test_resolution_that_nobody_makes_is_rounded_with_a_warning(asked: str | int, taken: str) -> None:
    parsed = read_wish({"image_size": asked})
    assert parsed.wish.resolution == taken
    assert len(parsed.warnings) == 1
    assert taken in parsed.warnings[0]


def test_unknown_word_for_quality_is_ignored_with_a_warning() -> None:
    parsed = read_wish({"quality": "superb"})
    assert parsed.wish == Wish()
    assert parsed.warnings == ("quality 'superb' is not known and ignored; it may be low, medium or high.",)


# --- count, seed, strictness


def test_numbers_and_flags_are_read() -> None:
    parsed = read_wish({"n": 3, "seed": 7, "strict": True})
    assert (parsed.count, parsed.seed, parsed.strict) == (3, 7, True)
    parsed = read_wish({"n": "3", "seed": "7", "strict": "true"}, text_values=True)
    assert (parsed.count, parsed.seed, parsed.strict) == (3, 7, True)


def test_seed_of_minus_one_leaves_it_to_us() -> None:
    assert read_wish({"seed": -1}).seed is None
    assert read_wish({"seed": 0}).seed == 0


@pytest.mark.parametrize(
    "fields", [{"n": "3"}, {"n": True}, {"n": 2.0}, {"seed": "7"}, {"strict": "true"}, {"strict": 1}]
)
def test_json_must_have_the_right_type_where_a_form_may_have_text(fields: dict[str, Any]) -> None:
    error = refusal(fields)
    assert (error.code, error.param) == ("invalid_type", next(iter(fields)))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"size": "big"}, "size"),
        ({"size": "1024"}, "size"),
        ({"size": ""}, "size"),
        ({"size": "63x1024"}, "size"),
        ({"size": "1024x8193"}, "size"),
        ({"size": "99999999999x10"}, "size"),
        ({"size": "2K"}, "size"),
        ({"size": "-1024x1024"}, "size"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": "61"}, "seconds"),
        ({"seconds": 4.5}, "seconds"),
        ({"seconds": "soon"}, "seconds"),
        ({"seconds": ""}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"duration": 10**6000}, "duration"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": 10**6000}, "n"),
        ({"seed": 2**63}, "seed"),
        ({"aspect_ratio": "wide"}, "aspect_ratio"),
        ({"aspect_ratio": "0:9"}, "aspect_ratio"),
        ({"aspect_ratio": "100:1"}, "aspect_ratio"),
        ({"image_size": "16K"}, "image_size"),
        ({"generationConfig": {"imageConfig": {"aspectRatio": "?"}}}, "generationConfig.imageConfig.aspectRatio"),
        ({"extra_body": {"image_config": {"image_size": "?"}}}, "extra_body.image_config.image_size"),
        ({"extra_body": {"size": "?"}}, "extra_body.size"),
    ],
)
def test_value_that_cannot_be_understood_names_its_field(fields: dict[str, Any], param: str) -> None:
    error = refusal(fields)
    assert (error.code, error.param) == ("invalid_value", param)
    assert error.message.startswith(f"{param} must be ")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"size": 1024}, "size"),
        ({"size": {"width": 1024}}, "size"),
        ({"seconds": True}, "seconds"),
        ({"seconds": [8]}, "seconds"),
        ({"aspect_ratio": 1.78}, "aspect_ratio"),
        ({"resolution": 720}, "resolution"),
        ({"quality": 3}, "quality"),
        ({"generationConfig": "x"}, "generationConfig"),
        ({"generationConfig": {"imageConfig": []}}, "generationConfig.imageConfig"),
        ({"extra_body": 1}, "extra_body"),
    ],
)
def test_value_of_the_wrong_type_names_its_field(fields: dict[str, Any], param: str) -> None:
    error = refusal(fields)
    assert (error.code, error.param) == ("invalid_type", param)


def test_the_greatest_count_is_the_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_wish({"n": 4}, most_results=4).count == 4
    assert refusal({"n": 5}, most_results=4).param == "n"


def test_own_fields_that_were_understood_are_named() -> None:
    fields = {
        "model": "m", "prompt": "p", "size": "auto", "quality": None, "n": 1, "strict": False, "temperature": 1,
        "generationConfig": {"temperature": 1}, "extra_body": {"imageConfig": {"aspectRatio": "1:1"}},
    }  # fmt: skip
    assert read_wish(fields).used == {"size", "quality", "n", "strict", "extra_body"}


def test_a_text_in_the_place_of_an_object_is_left_alone_in_a_form() -> None:
    parsed = read_wish({"extra_body": "{}", "generationConfig": "x"}, text_values=True)
    assert parsed.used == frozenset()


def test_what_was_read_once_is_not_taken_for_equal_values_of_other_types() -> None:
    assert read_wish({"n": 1, "seed": 1}).seed == 1
    assert refusal({"n": 1, "seed": True}).param == "seed"
    assert read_wish({"n": 2, "size": "1024x1024"}) == read_wish({"size": "1024x1024", "n": 2, "user": "u"})
    assert read_wish({"n": "2"}, text_values=True).count == 2
    assert refusal({"n": "2"}).param == "n"


# --- anything at all

NAMES = (
    "size", "quality", "n", "seed", "strict", "seconds", "duration", "durationSeconds", *RATIO_FIELDS,
    *RESOLUTION_FIELDS, "generationConfig", "imageConfig", "image_config", "extra_body", "model", "",
)  # fmt: skip
words = st.text(max_size=12) | st.sampled_from(
    ("auto", "16:9", "1024x1024", "2K", "high", "8s", "٣:٤", "1024x٣", "²x²", "1" * 5000, "0.0:0.0", "-1", "+5", "1_0")
)
scalars = st.none() | st.booleans() | st.integers() | st.just(10**4000) | st.floats() | words
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
)


def outcome(fields: dict[str, Any], *, text_values: bool) -> ParsedParameters | RequestError:
    try:
        return read_wish(fields, text_values=text_values)
    except RequestError as error:
        return error


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), anything, max_size=8), st.booleans())
def test_nothing_but_our_own_refusal_comes_out(fields: dict[str, Any], text_values: bool) -> None:
    parsed = outcome(fields, text_values=text_values)
    if isinstance(parsed, RequestError):
        assert parsed.param
        assert len(parsed.message) < 300
        return
    wished = parsed.wish
    assert wished.resolution in (None, *RESOLUTIONS)
    assert wished.seconds is None or 1 <= wished.seconds <= 60
    assert wished.size is None or 64 <= min(wished.size.width, wished.size.height) <= 8192
    assert wished.aspect_ratio is None or 1 / 32 <= wished.aspect_ratio.value <= 32
    assert wished.size is None or wished.aspect_ratio is None
    assert 1 <= parsed.count <= 10
    assert parsed.used <= fields.keys()
