"""Pictures in every place and form in which clients put them."""

import base64
import gc
import weakref
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.openai_api.input_pictures import PictureSource, picture_sources, take_in
from flow2api.domain.api_key import Caller
from flow2api.domain.errors import UnsupportedInputError
from flow2api.testing.fakes.media import fake_picture
from tests.fakes.use_cases import FakeDoors

CALLER = Caller(1)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, []),
        ({"image": None, "images": [], "input_reference": ""}, []),
        ({"image": b"x"}, [(b"x", "image")]),
        ({"image": [b"x", "u"]}, [(b"x", "image[0]"), ("u", "image[1]")]),
        ({"images": [{"image_url": "u"}]}, [("u", "images[0].image_url")]),
        ({"images": [{"type": "image_url", "image_url": {"url": "u"}}]}, [("u", "images[0].image_url.url")]),
        ({"images": [{"url": "u"}, {"b64_json": "v"}]}, [("u", "images[0].url"), ("v", "images[1].b64_json")]),
        ({"input_reference": {"image_url": "u"}}, [("u", "input_reference.image_url")]),
        ({"input_reference": {"image_url": "u", "file_id": None}}, [("u", "input_reference.image_url")]),
        ({"image_url": "u", "image": "v"}, [("v", "image"), ("u", "image_url")]),
        ({"mask": b"x", "prompt": "image"}, []),
    ],
)
def test_finds_them(fields: dict[str, Any], found: list[tuple[bytes | str, str]]) -> None:
    assert picture_sources(fields, 16) == [PictureSource(content, param) for content, param in found]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"image": {"file_id": "f"}}, "image.file_id"),
        ({"image": {}}, "image"),
        ({"image": 5}, "image"),
        ({"image": True}, "image"),
        ({"images": [[{"image_url": 1.5}]]}, "images[0][0].image_url"),
        ({"image": ["u"] * 17}, "image[16]"),
    ],
)
def test_refuses_what_it_cannot_use_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedInputError) as refused:
        picture_sources(fields, 16)
    assert refused.value.param == param


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["image_url", "url", "file_id"]), inner)
    ),
    max_leaves=10,
)


@given(JSON)
def test_whatever_stands_there_is_found_or_refused(value: object) -> None:
    found: list[PictureSource] = []
    with suppress(UnsupportedInputError):
        found = picture_sources({"image": value}, 16)
    assert all(source.content not in (b"", "") for source in found)


class TestTakingIn:
    async def test_keeps_the_order(self) -> None:
        fakes = FakeDoors()
        own = fakes.media.keep(fake_picture(salt="own"))
        data_url = "data:image/png;base64," + base64.b64encode(fake_picture(salt="b")).decode()
        bare = base64.b64encode(fake_picture(salt="c" * 100)).decode()
        sources: list[bytes | str] = [fake_picture(salt="a"), data_url, bare, own.id, f"/media/{own.id}?exp=1"]
        kept = await take_in(fakes.doors(), [PictureSource(one, "image") for one in sources], CALLER)

        given = [fakes.media.contents[media.id][1] for media in kept]
        salts = ["a", "b", "c" * 100, "own", "own"]
        assert given == [fake_picture(salt=salt) for salt in salts]
        assert fakes.ingest.fetched == []

    async def test_the_error_of_one_is_the_error_of_all(self) -> None:
        fakes = FakeDoors()
        sources = [PictureSource(fake_picture(), "image[0]"), PictureSource(b"<html>", "image[1]")]
        with pytest.raises(UnsupportedInputError) as refused:
            await take_in(fakes.doors(), sources, CALLER)
        assert refused.value.param == "image[1]"

    @pytest.mark.parametrize("count", [1, 3])
    async def test_what_is_refused_is_let_go_of_at_once(self, count: int) -> None:
        class Text(str):
            """A text that tells when it goes."""

            __slots__ = ("__weakref__",)

        fakes = FakeDoors()
        sources = [PictureSource(Text("data:;base64,????" + "x" * number), "image") for number in range(count)]
        kept = [weakref.ref(source.content) for source in sources]
        gc.disable()
        try:
            with suppress(UnsupportedInputError):
                await take_in(fakes.doors(), sources, CALLER)
            del sources
            assert [ref() for ref in kept] == [None] * count
        finally:
            gc.enable()

    async def test_an_unexpected_error_stays_what_it_is(self) -> None:
        fakes = FakeDoors()

        async def failing(*_: Any, **__: Any) -> Any:
            raise ZeroDivisionError

        fakes.ingest.from_bytes = failing  # type: ignore[method-assign]
        with pytest.raises(ZeroDivisionError):
            await take_in(fakes.doors(), [PictureSource(b"x", "image")], CALLER)

    async def test_nothing_becomes_nothing(self) -> None:
        assert await take_in(FakeDoors().doors(), [], CALLER) == []
