import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.flow.base64_field import MIB, Base64Field
from flow2api.domain.errors import UpstreamInvalidError


def fed(body: bytes, sizes: list[int]) -> tuple[bytes, bytes]:
    """The rest and the media of a body that comes in pieces of these sizes, over and over."""
    field, media, at, turn = Base64Field(), b"", 0, 0
    while at < len(body):
        size = sizes[turn % len(sizes)]
        media += field.feed(body[at : at + size])
        at, turn = at + size, turn + 1
    return field.finish(), media


@given(
    data=st.binary(max_size=400),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    name=st.sampled_from([b"encodedVideo", b"encodedImage"]),
    spelling=st.sampled_from(["plain", "escaped", "url safe", "unpadded"]),
)
def test_media_is_the_same_however_it_comes(data: bytes, sizes: list[int], name: bytes, spelling: str) -> None:
    text = base64.b64encode(data)
    if spelling == "escaped":
        text = text.replace(b"/", b"\\/").replace(b"=", b"\\u003d").replace(b"+", b"\\u002b")
    elif spelling == "url safe":
        text = base64.urlsafe_b64encode(data)
    elif spelling == "unpadded":
        text = text.rstrip(b"=")
    body = b'{"name": "x", "video": {"seed": 1, "' + name + b'" : "' + text + b'", "model": "veo"}}'

    rest, media = fed(body, sizes)

    assert media == data
    assert rest == b'{"name": "x", "video": {"seed": 1, "' + name + b'" : "", "model": "veo"}}'


@given(body=st.binary(max_size=300), sizes=st.lists(st.integers(1, 50), min_size=1, max_size=3))
def test_what_has_no_media_is_all_rest(body: bytes, sizes: list[int]) -> None:
    rest, media = fed(b"[" + body.replace(b"e", b"a") + b"]", sizes)

    assert media == b""
    assert rest == b"[" + body.replace(b"e", b"a") + b"]"


def test_prompt_that_looks_like_the_field_is_none() -> None:
    body = b'{"prompt": "\\"encodedVideo\\": \\"AAAA\\"", "encodedVideo": "QUJD"}'

    assert fed(body, [7])[1] == b"ABC"


def test_media_that_breaks_off_is_refused() -> None:
    field = Base64Field()
    field.feed(b'{"encodedVideo": "QUJD')

    with pytest.raises(UpstreamInvalidError):
        field.finish()


def test_media_that_is_no_base64_is_refused() -> None:
    with pytest.raises(UpstreamInvalidError):
        fed(b'{"encodedVideo": "not base64 at all!!"}', [100])


def test_json_without_media_is_not_kept_for_ever() -> None:
    with pytest.raises(UpstreamInvalidError):
        fed(bytes(2 * MIB), [64 * 1024])
