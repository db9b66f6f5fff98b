"""Rows come out of a body as they arrive, wherever it is cut, and what is broken is told with its place."""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.admin_api.row_stream import LONGEST_ROW, RowStream
from flow2api.domain.errors import UnsupportedInputError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


async def chunks_of(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    yield b""


async def read(*parts: bytes, batch: int = 2, most: int = 1000) -> tuple[list[Any], str]:
    """All rows, and what was wrong."""
    stream = RowStream(chunks_of(parts), "tokens", batch=batch, most=most)
    rows: list[Any] = []
    async for some in stream:
        assert 0 < len(some) <= batch
        rows += some
    return rows, "" if stream.fault is None else stream.fault.message


@given(
    rows=st.lists(values, max_size=6), cut=st.integers(1, 9), indent=st.sampled_from([None, 1]), is_ascii=st.booleans()
)
async def test_every_row_comes_out_wherever_the_body_is_cut(
    rows: list[Any], cut: int, indent: int | None, is_ascii: bool
) -> None:
    text = json.dumps({"tokens": rows}, indent=indent, ensure_ascii=is_ascii)
    body = text.encode("utf-8", "surrogatepass") if is_ascii else text.encode("utf-8", "replace")
    wanted = json.loads(body)["tokens"]

    assert await read(*(body[at : at + cut] for at in range(0, len(body), cut))) == (wanted, "")


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"tokens": [1, 2', [1]),
        (b'{"tokens": [1, 2,', [1, 2]),
        (b'{"tokens": [1, 2,]}', [1, 2]),
        (b'{"tokens": [1, x]}', [1]),
        (b'{"tokens": [1 2]}', []),
        (b'{"tokens": [1, 2]', [1, 2]),
        (b'{"tokens": [1, 2]]}', [1, 2]),
        (b'{"tokens": [1, 2]} {', [1, 2]),
        (b'{"tokens": [1, 2], "mode": "x"}', [1, 2]),
    ],
)
async def test_what_is_broken_is_told_after_the_rows_before_it(body: bytes, rows: list[int]) -> None:
    found, fault = await read(body)

    assert found == rows
    assert fault.startswith(f"What comes behind row {len(rows)} is no ")


async def test_letters_that_are_none_are_told_after_the_rows_before_them() -> None:
    rows, fault = await read(b'{"tokens": [1, ', b'"\xff"]}')

    assert (rows, fault) == ([1], "What comes behind row 1 is no UTF-8 text.")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token": []}', b'{"mode": 1, "tokens": []}', b"\xff", b"x" * 300_000]
)
async def test_body_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(UnsupportedInputError, match='no JSON object that has "tokens"'):
        await read(body)


async def test_row_without_an_end_is_given_up() -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        yield b'{"tokens": [1, "'
        while True:
            asked += 1
            yield b"x" * 65_536

    stream = RowStream(endless(), "tokens", batch=10, most=10)

    assert [rows async for rows in stream] == [(1,)]
    assert stream.fault is not None
    assert "longer than any row" in stream.fault.message
    assert asked <= LONGEST_ROW // 65_536 + 1


async def test_rows_beyond_the_most_are_not_looked_at() -> None:
    rows, fault = await read(b'{"tokens": [1, 2, 3, 4]}', most=3)

    assert rows == [1, 2, 3]
    assert (
        fault == "What comes behind row 3 was not looked at: 3 rows are taken at once; send the others in another call."
    )
    assert await read(b'{"tokens": [1, 2, 3]}', most=3) == ([1, 2, 3], "")
