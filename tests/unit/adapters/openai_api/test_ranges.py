"""Which part of some bytes a request gets."""

import pytest

from flow2api.adapters.openai_api.ranges import OUTSIDE, ByteRange, byte_range, is_unchanged, may_send_range


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (None, None),
        ("", None),
        ("bytes=0-99", ByteRange(0, 100)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("Bytes = 5 - 9", ByteRange(5, 10)),
        ("bytes=990-", ByteRange(990, 1000)),
        ("bytes=-10", ByteRange(990, 1000)),
        ("bytes=-5000", ByteRange(0, 1000)),
        ("bytes=500-99999", ByteRange(500, 1000)),
        ("bytes=999-", ByteRange(999, 1000)),
        ("bytes=1000-", OUTSIDE),
        ("bytes=5000-6000", OUTSIDE),
        ("bytes=-0", OUTSIDE),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=0-99999999999999999999", ByteRange(0, 1000)),
        ("bytes=-99999999999999999999", ByteRange(0, 1000)),
        ("bytes=" + "9" * 40 + "-", OUTSIDE),
        ("bytes=0-" + "9" * 65, None),
        ("bytes=\u0663-\u0664", None),
    ],
)
def test_reads_one_range(asked: str | None, part: object) -> None:
    assert byte_range(asked, 1000) == part


def test_nothing_has_no_part() -> None:
    assert byte_range("bytes=0-", 0) is OUTSIDE


@pytest.mark.parametrize(
    ("if_range", "may"), [(None, True), ('"abc"', True), (' "abc" ', True), ('"old"', False), ('W/"abc"', False)]
)
def test_a_part_is_only_sent_of_the_same_bytes(if_range: str | None, may: bool) -> None:
    assert may_send_range(if_range, '"abc"') is may


@pytest.mark.parametrize(
    ("held", "unchanged"),
    [(None, False), ('"abc"', True), ('"x", W/"abc"', True), ("*", True), ('"x"', False)],
)
def test_recognises_what_the_client_holds(held: str | None, unchanged: bool) -> None:
    assert is_unchanged(held, '"abc"') is unchanged
