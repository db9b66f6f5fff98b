import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain import data_url
from flow2api.domain.data_url import base64_pieces, data_url_pieces, decode_base64, decode_data_url, is_data_url
from flow2api.domain.errors import UnsupportedInputError

PICTURE = bytes(range(256)) * 3 + b"\xfb\xff\xfe"
TEXT = base64.b64encode(PICTURE).decode()


@given(st.binary(min_size=1, max_size=300))
def test_gives_back_what_was_encoded(data: bytes) -> None:
    assert decode_data_url("data:image/png;base64," + base64.b64encode(data).decode()) == data
    assert decode_base64(base64.urlsafe_b64encode(data).decode().rstrip("=")) == data


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{TEXT}",
        f"DATA:image/png;BASE64,{TEXT}",
        f"data:;base64,{TEXT}",
        f"data:text/html;charset=utf-8;base64,{TEXT}",
        f"data:image/png;base64 ,{TEXT}",
        "data:image/png;base64," + TEXT.replace("+", "-").replace("/", "_"),
        "data:image/png;base64," + TEXT.rstrip("="),
        "data:image/png;base64,\n" + "\r\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)) + "\n",
        "data:image/png;base64," + TEXT.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        f"data:image/png;base64,{TEXT} \t",
    ],
)
def test_takes_every_usual_spelling(url: str) -> None:
    assert is_data_url(url)
    assert decode_data_url(url) == PICTURE


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data:",
        "data:image/png;base64",
        "data:image/png,abcd",
        "data:image/svg+xml;utf8,<svg/>",
        f"https://pictures.example/;base64,{TEXT}",
        f"data:image/png;base64,{TEXT}*",
        f"data:image/png;base64,{TEXT[:-5]}é===",
        "data:image/png;base64,abcde",
        "data:image/png;base64,ab=cd",
        "data:image/png;base64,a",
        "data:image/png;base64,ab\x00cd",
        "data:image/png;base64,%ff%fe",
    ],
)
def test_refuses_what_is_no_base64(url: str) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        decode_data_url(url, "images[0].image_url")

    assert (caught.value.code, caught.value.param) == ("invalid_base64_image", "images[0].image_url")


@pytest.mark.parametrize("url", ["data:image/png;base64,", "data:image/png;base64,  ", "data:image/png;base64,===="])
def test_names_an_empty_picture(url: str) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        decode_data_url(url, "image")

    assert caught.value.code == "empty_image_file"


@pytest.mark.parametrize("size", [1001, 1002, 1003, 100_000])
def test_refuses_more_bytes_than_allowed(size: int) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        decode_data_url("data:image/png;base64," + base64.b64encode(bytes(size)).decode(), max_bytes=1000)

    assert (caught.value.code, caught.value.message) == (
        "image_too_large",
        "The picture has more than 1,000 bytes; send a smaller one.",
    )
    assert len(decode_base64(base64.b64encode(bytes(1000)).decode(), max_bytes=1000)) == 1000


def test_takes_the_largest_picture_also_percent_encoded() -> None:
    text = base64.b64encode(b"\xfb\xff\xbf" * 300).decode()
    escaped = "".join(f"%{ord(char):02x}" for char in text)

    assert decode_data_url(f"data:image/png;base64,{escaped}", max_bytes=900) == b"\xfb\xff\xbf" * 300


class TestPieces:
    """What is decoded piece by piece is the same wherever the text is cut."""

    @pytest.fixture(autouse=True, params=[4, 5, 6, 7, 64])
    def length(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(data_url, "PIECE_CHARACTERS", request.param)

    @pytest.mark.parametrize(
        "text",
        [
            TEXT,
            TEXT.rstrip("="),
            TEXT + "====",
            TEXT.replace("+", "-").replace("/", "_"),
            "\r\n".join(TEXT[at : at + 7] for at in range(0, len(TEXT), 7)),
            TEXT.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D"),
            "".join(f"%{ord(char):02x}" for char in TEXT),
        ],
    )
    def test_every_spelling_is_taken(self, text: str) -> None:
        assert decode_data_url("data:;base64," + text) == PICTURE

    @pytest.mark.parametrize(
        "text", ["QUJDRA==QUJD", "QQ==QUJ", "QUJD=QUJD", "=QUJD", "QUJDR", "QUJD*UJD", "QUJDQUJD%", "QUJDQUJDé"]
    )
    def test_what_is_none_is_refused(self, text: str) -> None:
        with pytest.raises(UnsupportedInputError) as caught:
            decode_base64(text)
        assert caught.value.code == "invalid_base64_image"


def test_large_picture_comes_in_many_small_pieces() -> None:
    data = bytes(range(256)) * 4096
    text = base64.b64encode(data).decode()

    for pieces in (list(base64_pieces(text)), list(data_url_pieces("data:;base64," + text))):
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= 128 * 1024


def test_too_large_picture_is_refused_before_its_end() -> None:
    pieces = base64_pieces(base64.b64encode(bytes(3_000_000)).decode(), max_bytes=2_000_000)
    taken: list[bytes] = []
    with pytest.raises(UnsupportedInputError) as caught:
        taken.extend(pieces)
    assert caught.value.code == "image_too_large"
    assert 1_800_000 < sum(map(len, taken)) <= 2_000_000
