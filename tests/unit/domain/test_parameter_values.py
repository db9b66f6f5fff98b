"""Single values: the edges of what is accepted, and refusals that name the field and what was sent."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.catalog import AspectRatio, Size
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.parameter_values import (
    INT64_MAX,
    is_resolution,
    read_aspect_ratio,
    read_flag,
    read_integer,
    read_quality,
    read_resolution,
    read_seconds,
    read_size,
)

Reader = Callable[..., Any]
READERS: dict[str, Reader] = {
    "size": read_size,
    "ratio": read_aspect_ratio,
    "resolution": read_resolution,
    "quality": read_quality,
    "seconds": read_seconds,
    "integer": partial(read_integer, least=1, most=10),
    "flag": read_flag,
}


def refusal(reader: Reader, value: object, **options: Any) -> UnsupportedInputError:
    with pytest.raises(UnsupportedInputError) as caught:
        reader(value, "field", **options)
    assert caught.value.param == "field"
    return caught.value


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("name", READERS)
@given(value=values)
def test_anything_is_read_or_refused_with_a_sentence(name: str, value: object) -> None:
    refused: UnsupportedInputError | None = None
    try:
        READERS[name](value, "field")
    except UnsupportedInputError as error:
        refused = error
    assert refused is None or (refused.param == "field" and refused.message.startswith("field must be "))


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_nothing_is_no_wish(reader: Reader) -> None:
    assert reader(None, "field") in (None, (None, None))


@pytest.mark.parametrize("name", ["size", "quality", "seconds", "integer", "flag"])
def test_empty_field_of_a_form_is_no_wish(name: str) -> None:
    assert READERS[name]("  ", "field", text=True) in (None, (None, None))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64x64", Size(64, 64)),
        ("8192X8192", Size(8192, 8192)),
        (" 1280 \N{MULTIPLICATION SIGN} 720 ", Size(1280, 720)),
        ("AUTO", None),
    ],
)
def test_size_from_edge_to_edge(text: str, size: Size | None) -> None:
    assert read_size(text, "field") == size


@pytest.mark.parametrize("value", ["63x64", "64x8193", "1280", "1280x720x1", "-64x64", "", "٦٤x٦٤"])
def test_size_beyond_the_edges_is_refused(value: str) -> None:
    assert repr(value) in refusal(read_size, value).message


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("32:1", AspectRatio(32, 1)),
        ("1:32", AspectRatio(1, 32)),
        ("1.78:1", AspectRatio(89, 50)),
        ("1920/1080", AspectRatio(16, 9)),
        ("FOUR_THREE", AspectRatio(4, 3)),
    ],
)
def test_ratio_from_edge_to_edge(text: str, ratio: AspectRatio) -> None:
    assert read_aspect_ratio(text, "field") == ratio


@pytest.mark.parametrize("value", ["33:1", "1:33", "0:1", "1:0", "16", "16:9:1", "wide"])
def test_ratio_beyond_the_edges_is_refused(value: str) -> None:
    refusal(read_aspect_ratio, value)


@pytest.mark.parametrize("word", [512, "512", "0.5K"])
def test_half_a_thousand_pixels_have_several_words(word: object) -> None:
    assert read_resolution(word, "field") == ("512", None)


@pytest.mark.parametrize(("word", "used"), [("480p", "720p"), ("8K", "4k")])
def test_resolution_that_nobody_makes_is_replaced_and_said(word: object, used: str) -> None:
    found, sentence = read_resolution(word, "field")
    assert found == used
    assert sentence == f"field {str(word).lower()} is not made; {used} is used."


def test_words_for_resolutions_are_known_in_any_case() -> None:
    assert all(is_resolution(word) for word in ("1K", " 4k ", "1080P", "480p"))
    assert not any(is_resolution(word) for word in ("hd", "1280x720", "", 512, None))


def test_unknown_quality_is_ignored_and_said() -> None:
    found, sentence = read_quality("superb", "field")
    assert found is None
    assert sentence == "field 'superb' is not known and ignored; it may be low, medium or high."


@pytest.mark.parametrize("value", [1, 60, "1", "60s", "8.0", 8.0])
def test_seconds_from_edge_to_edge(value: object) -> None:
    assert read_seconds(value, "field") == int(float(str(value).rstrip("s")))


@pytest.mark.parametrize("value", [0, 61, 7.5, float("nan"), float("inf"), "7.5", "8 minutes", "", 10**400])
def test_seconds_beyond_the_edges_are_refused(value: object) -> None:
    assert refusal(read_seconds, value).code != "invalid_type"


@pytest.mark.parametrize(
    ("name", "value"),
    [("integer", "3"), ("integer", 3.0), ("integer", True), ("flag", "true"), ("flag", 1), ("seconds", True)],
)
def test_wrong_type_has_a_code_of_its_own(name: str, value: object) -> None:
    assert refusal(READERS[name], value).code == "invalid_type"


def test_form_may_spell_numbers_and_truths() -> None:
    read = partial(read_integer, least=-(2**63), most=INT64_MAX, text=True)
    assert read(" +3 ", "field") == 3
    assert read(str(INT64_MAX), "field") == INT64_MAX
    assert [read_flag(word, "field", text=True) for word in ("TRUE", "0", "False", "1")] == [True, False, False, True]
    refusal(read, "9" * 19 + "9")


def test_number_of_thousands_of_digits_is_refused_without_being_written_out() -> None:
    assert refusal(READERS["integer"], 10**5000).message.endswith("it was a number.")


def test_long_text_is_shown_by_its_beginning() -> None:
    assert len(refusal(read_size, "x" * 10_000).message) < 200
