import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.account_files import splitting
from flow2api.adapters.account_files.splitting import LONGEST_VALUE, split_rows
from flow2api.domain.errors import UnsupportedInputError

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(rows=st.lists(_VALUES, max_size=6), piece=st.integers(1, 9), indent=st.sampled_from([None, 1]))
def test_rows_are_the_same_wherever_pieces_end(rows: list[object], piece: int, indent: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "_PIECE", piece)
        bare = json.dumps(rows, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
        within = json.dumps({"version": [1, {}], "tokens": rows, "at": 12}, indent=indent).encode()

        assert list(split_rows(within, "tokens")) == rows
        if b"\xed" not in bare:  # half a character is no UTF-8
            assert list(split_rows(bare, "tokens")) == rows


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "at character 1 '{' should come"),
        ("[1, 2", "at character 6 ',' or ']' should come"),
        ("[1 2]", "at character 4 ',' or ']' should come"),
        ("[1, ]", "at character 5 no value"),
        ("[1] 2", "at character 5 more comes behind its end"),
        ('{"tokens": {}}', "at character 12 '[' should come"),
        ('{"other": 1}', "it has no list tokens"),
        ('{"other" 1}', "':' should come"),
    ],
)
def test_fault_is_told_by_its_place(text: str, place: str) -> None:
    with pytest.raises(UnsupportedInputError) as refused:
        list(split_rows(text.encode(), "tokens"))

    assert place in refused.value.message


def test_value_without_an_end_is_given_up() -> None:
    data = b'["' + b"x" * (LONGEST_VALUE * 4)

    with pytest.raises(UnsupportedInputError, match="no value comes"):
        list(split_rows(data, "tokens"))
