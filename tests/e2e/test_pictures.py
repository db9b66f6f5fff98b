"""Pictures through the official SDK."""

import base64
import io
import json
import urllib.request
from typing import Any

import openai
import pytest
from PIL import Image

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.processes import Gateway

RATIOS = {"1024x1024": 1.0, "1536x1024": 4 / 3, "1024x1536": 3 / 4, "1792x1024": 16 / 9, "1024x1792": 9 / 16}


def opened(data: str | None) -> Image.Image:
    assert data is not None
    picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
    picture.load()
    return picture


def png(colour: str = "red", size: tuple[int, int] = (640, 360)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def test_picture_decodes_and_is_named_truly(client: openai.OpenAI) -> None:
    answer = client.images.generate(model="gpt-image-1", prompt="a red mug")
    assert answer.data is not None
    picture = opened(answer.data[0].b64_json)
    assert picture.format == "JPEG"
    assert answer.output_format == "jpeg"
    assert answer.size == f"{picture.width}x{picture.height}"
    assert answer._request_id


@pytest.mark.parametrize("size", RATIOS)
def test_picture_has_the_ratio_that_was_asked(client: openai.OpenAI, era: str, size: str) -> None:
    if era == "seed" and size not in ("1792x1024", "1024x1792"):
        pytest.skip("the seed era knows landscape and portrait only")
    answer = client.images.generate(model="gemini-3.0-pro-image", prompt="a boat", size=size)
    assert answer.data is not None
    picture = opened(answer.data[0].b64_json)
    assert picture.width / picture.height == pytest.approx(RATIOS[size], rel=0.05)


@pytest.mark.parametrize(("format_", "pillow"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_picture_is_converted_when_a_format_is_asked(client: openai.OpenAI, format_: Any, pillow: str) -> None:
    answer = client.images.generate(model="gpt-image-1", prompt="a mug", output_format=format_)
    assert answer.data is not None
    assert opened(answer.data[0].b64_json).format == pillow
    assert answer.output_format == format_


def test_ten_pictures_are_made_side_by_side(client: openai.OpenAI) -> None:
    answer = client.images.generate(model="gemini-3.0-pro-image", prompt="ten mugs", n=10)
    assert answer.data is not None
    assert len({one.b64_json for one in answer.data}) == 10


def test_link_opens_the_picture_without_a_key(client: openai.OpenAI) -> None:
    answer = client.images.generate(model="dall-e-3", prompt="a mug", response_format="url")
    assert answer.data is not None
    assert answer.data[0].url is not None
    with urllib.request.urlopen(answer.data[0].url) as got:
        assert got.headers["content-type"] == "image/jpeg"
        Image.open(io.BytesIO(got.read())).load()


def test_stream_ends_with_a_completed_picture(client: openai.OpenAI) -> None:
    events = list(client.images.generate(model="gpt-image-1", prompt="a mug", stream=True, partial_images=2))
    assert events[-1].type == "image_generation.completed"
    assert opened(events[-1].b64_json).width > 0
    assert events[-1].usage is not None


async def test_async_client_gets_a_picture(async_client: openai.AsyncOpenAI) -> None:
    answer = await async_client.images.generate(model="gpt-image-1", prompt="a red mug")
    assert answer.data is not None
    assert opened(answer.data[0].b64_json).width > 0


@pytest.mark.parametrize("count", [1, 3])
async def test_edit_hands_the_pictures_over(
    async_client: openai.AsyncOpenAI, control: SimulatorControl, count: int
) -> None:
    pictures = [(f"{i}.png", png(colour), "image/png") for i, colour in enumerate(["red", "green", "blue"][:count])]
    answer = await async_client.images.edit(
        model="gpt-image-1", image=pictures if count > 1 else pictures[0], prompt="make it blue"
    )
    assert answer.data is not None
    opened(answer.data[0].b64_json)
    call = (await control.requests(call="generate_images"))[-1]
    inputs = call.body["requests"][0]["imageInputs"]
    assert len(inputs) == count


def test_edit_streams(client: openai.OpenAI) -> None:
    events = list(client.images.edit(model="gpt-image-1", image=("a.png", png()), prompt="bluer", stream=True))
    assert events[-1].type == "image_edit.completed"


def test_edit_takes_json_with_a_data_url(gateway: Gateway) -> None:
    url = "data:image/png;base64," + base64.b64encode(png()).decode()
    request = urllib.request.Request(
        f"{gateway.url}/v1/images/edits",
        json.dumps({"model": "gpt-image-1", "prompt": "bluer", "images": [{"image_url": url}]}).encode(),
        {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as got:
        opened(json.load(got)["data"][0]["b64_json"])


def test_own_result_serves_as_input_by_its_link(client: openai.OpenAI, gateway: Gateway) -> None:
    first = client.images.generate(model="dall-e-3", prompt="a mug", response_format="url")
    assert first.data is not None
    request = urllib.request.Request(
        f"{gateway.url}/v1/images/edits",
        json.dumps({"model": "gpt-image-1", "prompt": "bluer", "images": [{"image_url": first.data[0].url}]}).encode(),
        {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as got:
        opened(json.load(got)["data"][0]["b64_json"])


@pytest.mark.parametrize("resolution", ["2k", "4k"])
def test_picture_is_enlarged_when_asked(client: openai.OpenAI, era: str, resolution: str) -> None:
    if era == "seed":
        pytest.skip("the seed era does not enlarge")
    answer = client.images.generate(
        model="gemini-3.0-pro-image", prompt="a mug", size="1792x1024", extra_body={"resolution": resolution}
    )
    assert answer.data is not None
    assert opened(answer.data[0].b64_json).width >= {"2k": 2700, "4k": 5400}[resolution]


def test_picture_that_was_made_before_is_enlarged_by_its_link(
    client: openai.OpenAI, gateway: Gateway, era: str
) -> None:
    if era == "seed":
        pytest.skip("the seed era does not enlarge")
    first = client.images.generate(model="gemini-3.0-pro-image", prompt="a mug", response_format="url")
    assert first.data is not None
    body = {"model": "flow-upscale-image", "prompt": "", "resolution": "2k", "image": first.data[0].url}
    request = urllib.request.Request(
        f"{gateway.url}/v1/images/edits",
        json.dumps(body).encode(),
        {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as got:
        assert opened(json.load(got)["data"][0]["b64_json"]).width >= 2700
