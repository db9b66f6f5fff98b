"""Base64 in pieces is the base64 of the whole."""

import base64
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.openai_api.base64_bytes import base64_length, base64_of


async def pieces(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@given(st.lists(st.binary(max_size=40)))
async def test_any_chunks_give_the_same_text(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    text = b"".join([piece async for piece in base64_of(pieces(chunks))])
    assert text == base64.b64encode(whole)
    assert len(text) == base64_length(len(whole))


async def test_a_large_chunk_comes_in_slices() -> None:
    data = bytes(range(256)) * 10_000
    found = [piece async for piece in base64_of(pieces([data]))]
    assert len(found) > 2
    assert b"".join(found) == base64.b64encode(data)
