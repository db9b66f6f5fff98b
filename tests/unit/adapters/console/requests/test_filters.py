"""Places and numbers in addresses of the request log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.console.requests.filters import number_of, place_of
from flow2api.domain.errors import UnsupportedInputError


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_is_refused(text: str) -> None:
    try:
        place = place_of(text)
    except UnsupportedInputError:
        return
    assert place is None or place.number > 0


def test_empty_text_asks_for_nothing() -> None:
    assert place_of("") is None
    assert number_of("", "key") is None


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "٣", "x", str(2**63), "9" * 400])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedInputError):
        number_of(text, "key")
