"""Keys sort as their parts do."""

from datetime import UTC, datetime, timedelta

from flow2api_lmdb.keys import Key, encoded
from hypothesis import given
from hypothesis import strategies as st

numbers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=20)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(st.tuples(numbers, texts, moments), min_size=2, max_size=2))
def test_order_of_keys_is_the_order_of_their_parts(keys: list[tuple[int, str, datetime]]) -> None:
    one, other = keys
    by_parts = [(number, text.encode(), moment) for number, text, moment in keys]

    assert (encoded(one) < encoded(other)) == (by_parts[0] < by_parts[1])
    assert (encoded(one) == encoded(other)) == (one == other)


@given(st.lists(st.one_of(numbers, texts, st.binary(max_size=200), st.none()), max_size=3), texts)
def test_key_begins_with_what_it_was_made_longer_from(parts: list[int | str | bytes | None], more: str) -> None:
    key: Key = tuple(parts)

    assert encoded((*key, more)).startswith(encoded(key))
    assert encoded(key) < encoded((*key, more)) < encoded(key) + b"\xff"


def test_none_comes_first_and_no_microsecond_is_lost() -> None:
    moment = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)

    assert encoded((None,)) < encoded((-(2**63),))
    assert encoded((moment,)) < encoded((moment + timedelta(microseconds=1),))


def test_text_of_any_length_fits_and_is_told_apart() -> None:
    long = [encoded(("x" * 1000 + end,)) for end in "ab"]

    assert long[0] != long[1]
    assert max(len(key) for key in long) < 511
