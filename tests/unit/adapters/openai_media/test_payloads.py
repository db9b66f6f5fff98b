import email
from email.message import Message

import msgspec

from flow2api.adapters.openai_media.form import Body
from flow2api.adapters.openai_media.model_wire import ModelWire
from flow2api.adapters.openai_media.payloads import edit_body, extension_body, picture_body, remix_body, video_body
from flow2api.domain.generation import InputRole, Order, Product
from flow2api.domain.ports.upstream import UploadedPicture
from tests.integration.openai_media.stage import LONGER, PICTURE, VIDEO

JPEG = UploadedPicture(b"\xff\xd8\xff\r\n--x\r\n\x00", "image/jpeg", 8, 8)
REFERENCE, MASK = InputRole.REFERENCE, InputRole.MASK
PNG = UploadedPicture(b"\x89PNG", "image/png", 8, 8)


def parts_of(body: Body) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file name, type and content of each part, as Python's own parser reads them."""
    message = email.message_from_bytes(b"Content-Type: " + body.content_type.encode() + b"\r\n\r\n" + body.content)
    parts = message.get_payload()
    assert isinstance(parts, list)
    found = []
    for part in parts:
        assert isinstance(part, Message)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = part.get_param("name", header="content-disposition")
        found.append((str(name), part.get_filename(), part.get_content_type(), content))
    return found


def test_picture_is_asked_for_in_json_with_what_its_model_says() -> None:
    wire = ModelWire(
        "m-1", size="512x512", response_format="url", has_seed=True, extra={"quality": "high", "strict": True}
    )

    body = picture_body(Order(spec=PICTURE, prompt="a mug", count=3, seed=7), wire)

    assert body.content_type == "application/json"
    assert msgspec.json.decode(body.content) == {
        "model": "m-1", "prompt": "a mug", "n": 3, "size": "512x512", "response_format": "url", "seed": 7,
        "quality": "high", "strict": True,
    }  # fmt: skip


def test_remix_says_no_more_than_what_is_to_change() -> None:
    wire = ModelWire("m-1", size="1280x720", has_seed=True, extra={"strict": True})
    body = remix_body(Order(spec=VIDEO, prompt="at night", seed=7), wire)

    assert body.content_type == "application/json"
    assert msgspec.json.decode(body.content) == {"prompt": "at night", "seed": 7, "strict": True}


def test_quality_goes_along_where_the_model_has_it() -> None:
    wire = ModelWire("m-1", quality="high")

    assert msgspec.json.decode(picture_body(Order(spec=PICTURE, prompt="a"), wire).content)["quality"] == "high"
    edited = parts_of(edit_body(Order(spec=PICTURE, prompt="a"), wire, [(REFERENCE, JPEG)]))
    assert [part[3] for part in edited if part[0] == "quality"] == [b"high"]


def test_what_a_host_may_not_know_is_left_out() -> None:
    body = picture_body(Order(spec=PICTURE, prompt="a mug", seed=7), ModelWire("m-1"))

    assert msgspec.json.decode(body.content) == {"model": "m-1", "prompt": "a mug", "n": 1}


def test_one_picture_goes_by_another_name_than_several() -> None:
    order, wire = Order(spec=PICTURE, prompt='a "mug"\r\nat night', count=2), ModelWire("m-1", extra={"strict": True})

    one, two = (
        edit_body(order, wire, [(REFERENCE, JPEG)]),
        edit_body(order, wire, [(REFERENCE, JPEG), (REFERENCE, PNG)]),
    )

    assert [part[0] for part in parts_of(one)] == ["model", "prompt", "n", "strict", "image"]
    assert [part[3] for part in parts_of(one)][1:4] == [b'a "mug"\r\nat night', b"2", b"true"]
    assert parts_of(two)[-2:] == [
        ("image[]", "input-1.jpg", "image/jpeg", JPEG.data),
        ("image[]", "input-2.png", "image/png", PNG.data),
    ]


def test_video_is_asked_for_in_a_form() -> None:
    wire = ModelWire("film-1", size="1280x720")

    plain, framed = (
        video_body(Order(spec=VIDEO, prompt="waves"), wire, []),
        video_body(Order(spec=VIDEO, prompt="waves"), wire, [(REFERENCE, JPEG)]),
    )

    assert [(name, content) for name, _, _, content in parts_of(plain)] == [
        ("model", b"film-1"), ("prompt", b"waves"), ("seconds", b"4"), ("size", b"1280x720"),
    ]  # fmt: skip
    assert parts_of(framed)[-1] == ("input_reference", "input-1.jpg", "image/jpeg", JPEG.data)


def test_mask_is_no_picture_among_the_others() -> None:
    body = edit_body(Order(spec=PICTURE, prompt="a hat"), ModelWire("m-1"), [(REFERENCE, JPEG), (MASK, PNG)])

    assert parts_of(body)[-2:] == [
        ("image", "input-1.jpg", "image/jpeg", JPEG.data),
        ("mask", "input-2.png", "image/png", PNG.data),
    ]


def test_extension_names_its_video_and_leaves_model_and_shape_to_the_host() -> None:
    order = Order(spec=LONGER, prompt="it goes on", seed=7, source=Product("video_1"))

    body = extension_body(order, ModelWire("film-1", size="1280x720", extra={"audio": True}), Product("video_1"))

    assert body.content_type == "application/json"
    assert msgspec.json.decode(body.content) == {
        "prompt": "it goes on", "seconds": "8", "video": {"id": "video_1"}, "audio": True,
    }  # fmt: skip
