"""Forms: names with brackets, text for everything, and limits."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.openai_api import Limits
from flow2api.adapters.openai_api.multipart import Fields, read_form
from flow2api.domain.errors import UnsupportedInputError

Part = tuple[str, str | bytes]


def encode(parts: list[Part], boundary: str = "b0") -> bytes:
    lines = b""
    for name, value in parts:
        file = b'; filename="f.png"\r\nContent-Type: image/png' if isinstance(value, bytes) else b""
        content = value if isinstance(value, bytes) else value.encode()
        lines += b'--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
            boundary.encode(), name.encode(), file, content,
        )  # fmt: skip
    return lines + b"--%s--\r\n" % boundary.encode()


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(parts: list[Part], *, limits: Limits | None = None, size: int = 1 << 16) -> Fields:
    return (await read_form(in_pieces(encode(parts), size), "b0", limits or Limits()))[0]


CASES: list[tuple[list[Part], Fields]] = [
    ([("prompt", "a fox"), ("n", "2")], {"prompt": "a fox", "n": "2"}),
    ([("prompt", "one"), ("prompt", "two")], {"prompt": "two"}),
    ([("prompt", ""), ("size", "")], {"prompt": ""}),
    ([("image", b"1")], {"image": b"1"}),
    ([("image", b"1"), ("image", b"2"), ("image", b"3")], {"image": [b"1", b"2", b"3"]}),
    ([("image[]", b"1")], {"image": [b"1"]}),
    ([("image[]", b"1"), ("image[]", b"2")], {"image": [b"1", b"2"]}),
    ([("image[0]", b"1"), ("image[1]", b"2")], {"image": [b"1", b"2"]}),
    ([("image", b"1"), ("image[]", b"2")], {"image": [b"1", b"2"]}),
    ([("ref[image_url]", "x")], {"ref": {"image_url": "x"}}),
    ([("ref[image_url]", "x"), ("ref[detail]", "y")], {"ref": {"image_url": "x", "detail": "y"}}),
    ([("images[0][image_url]", "x"), ("images[1][image_url]", "y")], {"images": [{"image_url": "x"}, {"image_url": "y"}]}),
    ([("images[][image_url]", "x"), ("images[][image_url]", "y")], {"images": [{"image_url": "x"}, {"image_url": "y"}]}),
    ([("images[0][image_url]", "x"), ("images[0][detail]", "y")], {"images": [{"image_url": "x", "detail": "y"}]}),
    ([("a[b][c][d]", "x")], {"a[b][c][d]": "x"}),
    ([("[]", "x")], {"[]": "x"}),
    ([("a[", "x")], {"a[": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "fields"), CASES, ids=lambda value: str(value)[:50])
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
async def test_reads_names_as_clients_write_them(parts: list[Part], fields: Fields, size: int) -> None:
    assert await read(parts, size=size) == fields


async def test_too_many_parts_are_refused() -> None:
    with pytest.raises(UnsupportedInputError, match="64 parts"):
        await read([(f"f{i}", "x") for i in range(65)])


async def test_too_many_files_are_refused() -> None:
    with pytest.raises(UnsupportedInputError, match="17 files") as refused:
        await read([("image[]", b"x")] * 18)
    assert refused.value.param == "image[]"


async def test_a_file_over_the_limit_is_refused_before_it_is_complete() -> None:
    fed = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal fed
        yield encode([("image", b"")])[: -len(b"\r\n--b0--\r\n")]
        while True:
            fed += 1000
            yield b"x" * 1000

    with pytest.raises(UnsupportedInputError) as refused:
        await read_form(endless(), "b0", Limits(picture_bytes=10_000))
    assert refused.value.code == "image_too_large"
    assert fed <= 12_000


async def test_text_that_is_no_text_is_refused() -> None:
    raw = encode([("prompt", "X")]).replace(b"X", b"\xff")
    with pytest.raises(UnsupportedInputError) as refused:
        await read_form(in_pieces(raw, 100), "b0", Limits())
    assert refused.value.param == "prompt"


@pytest.mark.parametrize("cut", [4, 10, 60, 100])
async def test_an_incomplete_form_is_refused(cut: int) -> None:
    raw = encode([("prompt", "a fox"), ("image", b"x" * 50)])
    with pytest.raises(UnsupportedInputError):
        await read_form(in_pieces(raw[:-cut], 16), "b0", Limits())


@given(st.binary(max_size=300), st.integers(1, 50))
async def test_garbage_is_refused_and_nothing_else_happens(garbage: bytes, size: int) -> None:
    with suppress(UnsupportedInputError):
        await read_form(in_pieces(garbage, size), "b0", Limits())


async def test_a_picture_without_a_file_name_is_a_file_all_the_same() -> None:
    raw = encode([("image", b"\x89PNG")]).replace(b'; filename="f.png"', b"")
    assert (await read_form(in_pieces(raw, 100), "b0", Limits()))[0] == {"image": b"\x89PNG"}


def parts_of(names: list[str]) -> list[Part]:
    return [(name, b"x" if name.startswith("image") else "x") for name in names]


@given(
    st.lists(
        st.sampled_from(
            [
                "image",
                "image[]",
                "image[3]",
                "image[a]",
                "image[²][a]",
                "a",
                "a[]",
                "a[0]",
                "a[b]",
                "a[0][b]",
                "a[٣][b]",
            ]
        ),
        max_size=8,
    )
)
async def test_any_mixture_of_names_is_read(names: list[str]) -> None:
    await read(parts_of(names))
