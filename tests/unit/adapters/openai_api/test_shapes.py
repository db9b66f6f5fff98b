"""Fields that have no effect."""

import pytest

from flow2api.adapters.openai_api.shapes import ignored_fields
from flow2api.domain.errors import UnsupportedInputError


def test_each_field_without_effect_is_named() -> None:
    sentences = ignored_fields({"prompt": "x", "tools": [], "user": "me", "top_p": None, "a": 1}, {"prompt"})
    assert sentences == ("`tools` has no effect here and was ignored.", "`a` has no effect here and was ignored.")


def test_of_very_many_the_rest_is_counted() -> None:
    sentences = ignored_fields({f"field{number}": 1 for number in range(5000)}, ())
    assert len(sentences) == 33
    assert sentences[-1] == "4,968 more fields have no effect here and were ignored."


def test_strict_refuses_the_first() -> None:
    with pytest.raises(UnsupportedInputError) as refused:
        ignored_fields({"strict": True, "tools": []}, {"strict"})
    assert refused.value.param == "tools"
