from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.spread_dict import SpreadDict

NUMBERS = st.integers(0, 3) | st.integers(4090, 4100) | st.integers(0, 10**9)


@given(st.lists(st.tuples(st.booleans(), NUMBERS, st.integers(0, 9))))
def test_is_a_dictionary(steps: list[tuple[bool, int, int]]) -> None:
    spread, plain = SpreadDict[int](), dict[int, int]()
    for is_set, number, value in steps:
        if is_set:
            spread[number] = plain[number] = value
        elif number in plain:
            assert spread.pop(number) == plain.pop(number)
        assert (number in spread) == (number in plain)
        assert spread.get(number) == plain.get(number)
        assert len(spread) == len(plain)
    assert all(spread[number] == value for number, value in plain.items())
