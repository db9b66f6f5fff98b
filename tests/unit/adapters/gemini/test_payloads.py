import base64
import json
from typing import Any

import msgspec
import pytest

from flow2api.adapters.gemini import payloads
from flow2api.adapters.gemini.model_wire import read_wire
from flow2api.domain.errors import UpstreamInvalidError, UpstreamRejectedError
from flow2api.domain.generation import InputRole, Order, Product
from flow2api.domain.ports.upstream import UploadedPicture
from flow2api.testing.factories import picture_spec
from tests.integration.gemini.stage import EXTEND, FRAMES, IMAGEN, OMNI, PICTURE, REFERENCES, SPECS, VIDEO

ONE = UploadedPicture(b"one", "image/png", 8, 8)
TWO = UploadedPicture(b"two", "image/jpeg", 8, 8)
ONE_TEXT, TWO_TEXT = (base64.b64encode(one.data).decode() for one in (ONE, TWO))


def read(body: bytes) -> Any:
    return msgspec.json.decode(body)


def test_picture_is_asked_for_in_words_and_pictures() -> None:
    spec = SPECS["google-gemini-3.1-flash-image-2x3-4k"]
    body = payloads.content(
        Order(spec=spec, prompt="a mug"), read_wire(spec), [(InputRole.REFERENCE, ONE), (InputRole.REFERENCE, TWO)], 7
    )

    assert read(body) == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "a mug"},
                    {"inlineData": {"mimeType": "image/png", "data": ONE_TEXT}},
                    {"inlineData": {"mimeType": "image/jpeg", "data": TWO_TEXT}},
                ],
            }
        ],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": "2:3", "imageSize": "4K"},
            "seed": 7,
        },
    }


def test_native_size_is_not_named() -> None:
    config = read(payloads.content(Order(spec=PICTURE), read_wire(PICTURE), [], None))["generationConfig"]

    assert config["imageConfig"] == {"aspectRatio": "16:9"}
    assert "seed" not in config


def test_prediction_asks_for_several_and_for_the_reason_of_the_filter() -> None:
    body = read(payloads.prediction(Order(spec=IMAGEN, prompt="a mug", count=3), read_wire(IMAGEN)))

    assert body == {
        "instances": [{"prompt": "a mug"}],
        "parameters": {"sampleCount": 3, "aspectRatio": "1:1", "includeRaiReason": True},
    }


def test_frames_of_a_video_are_told_apart() -> None:
    pictures = [(InputRole.START, ONE), (InputRole.END, TWO)]
    body = read(payloads.long_prediction(Order(spec=FRAMES, prompt="it moves", seed=3), read_wire(FRAMES), pictures))

    assert body["instances"] == [
        {
            "prompt": "it moves",
            "image": {"bytesBase64Encoded": ONE_TEXT, "mimeType": "image/png"},
            "lastFrame": {"bytesBase64Encoded": TWO_TEXT, "mimeType": "image/jpeg"},
        }
    ]
    assert body["parameters"] == {"aspectRatio": "16:9", "durationSeconds": 8, "seed": 3}


def test_references_of_a_video_are_assets() -> None:
    pictures = [(InputRole.REFERENCE, ONE)]
    body = read(payloads.long_prediction(Order(spec=REFERENCES, prompt="x"), read_wire(REFERENCES), pictures))

    image = {"bytesBase64Encoded": ONE_TEXT, "mimeType": "image/png"}
    assert body["instances"][0]["referenceImages"] == [{"image": image, "referenceType": "ASSET"}]


def test_extension_names_the_video_as_the_service_did_and_leaves_shape_and_length_to_it() -> None:
    made = Product("files/abc", extra=json.dumps({"uri": "https://host/v1beta/files/abc:download?alt=media"}))
    order = Order(spec=EXTEND, prompt="it goes on", seed=3, source=made)

    body = read(payloads.long_prediction(order, read_wire(EXTEND), []))

    uri = "https://host/v1beta/files/abc:download?alt=media"
    assert body == {
        "instances": [{"prompt": "it goes on", "video": {"uri": uri}}],
        "parameters": {"resolution": "720p", "seed": 3},
    }


@pytest.mark.parametrize("extra", [None, "no JSON", "{}", '{"uri": 1}'])
def test_video_that_the_service_has_given_no_address_cannot_be_extended(extra: str | None) -> None:
    order = Order(spec=EXTEND, prompt="x", source=Product("files/abc", extra=extra))

    with pytest.raises(UpstreamRejectedError):
        payloads.long_prediction(order, read_wire(EXTEND), [])


def test_resolution_and_length_of_a_video_are_named() -> None:
    spec = SPECS["google-veo-3.1-text-9x16-4k-8s"]
    body = read(payloads.long_prediction(Order(spec=spec, prompt="x"), read_wire(spec), []))

    assert body["parameters"] == {"aspectRatio": "9:16", "durationSeconds": 8, "resolution": "4k"}


@pytest.mark.parametrize(
    ("pictures", "task"),
    [([], "text_to_video"), ([ONE], "image_to_video"), ([ONE, TWO], "reference_to_video")],
)
def test_interaction_names_its_task_and_wants_an_address(pictures: list[UploadedPicture], task: str) -> None:
    inputs = [(InputRole.REFERENCE, one) for one in pictures]
    body = read(payloads.interaction(Order(spec=OMNI, prompt="a cat"), read_wire(OMNI), inputs))

    assert body["generation_config"] == {"video_config": {"task": task}}
    assert (body["model"], body["background"], body["store"]) == ("gemini-omni-1.2-flash", True, True)
    assert body["response_format"] == {
        "type": "video", "aspect_ratio": "16:9", "resolution": "720p", "duration": "8s", "delivery": "uri",
    }  # fmt: skip
    blocks = [
        {"type": "image", "data": base64.b64encode(one.data).decode(), "mime_type": one.content_type}
        for one in pictures
    ]
    assert body["input"] == ([{"type": "text", "text": "a cat"}, *blocks] if pictures else "a cat")


def test_model_of_another_upstream_has_no_words() -> None:
    with pytest.raises(UpstreamInvalidError):
        read_wire(picture_spec())


def test_every_model_has_words() -> None:
    assert len({(read_wire(spec), spec.seconds, spec.mode) for spec in SPECS.values()}) == len(SPECS)
    assert read_wire(VIDEO).method == "predictLongRunning"
