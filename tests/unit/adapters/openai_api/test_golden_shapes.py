"""Answers against OpenAI's own types: the official SDK's, validated strictly, as its strict mode does."""

import json
from typing import Any

import pytest
from openai.types import (
    Image,
    ImageEditCompletedEvent,
    ImageGenCompletedEvent,
    ImagesResponse,
    Model,
    Video,
    VideoDeleteResponse,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel, TypeAdapter

from flow2api.domain.generation import Fault, Phase
from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.media import fake_picture
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.conftest import Client

REQUIRED = {
    ChatCompletion: {"id", "object", "created", "model", "choices", "usage"},
    ImagesResponse: {"created", "data", "background", "output_format", "quality", "size", "usage"},
    Model: {"id", "object", "created", "owned_by"},
    Video: {
        "id", "object", "model", "status", "progress", "created_at", "completed_at", "expires_at", "prompt", "size",
        "seconds", "remixed_from_video_id", "error",
    },
    VideoDeleteResponse: {"id", "object", "deleted"},
}  # fmt: skip


def conforms(document: Any, shape: type[BaseModel]) -> None:
    """The document is what the SDK promises its users, and every key is there, nulls included."""
    TypeAdapter(shape).validate_python(document, strict=True)
    assert REQUIRED.get(shape, set()) <= set(document)


async def test_models(client: Client) -> None:
    for document in (await client.get("/v1/models")).json()["data"]:
        conforms(document, Model)
    conforms((await client.get("/v1/models/sora-2")).json(), Model)


@pytest.mark.parametrize("response_format", ["b64_json", "url"])
async def test_images(client: Client, response_format: str) -> None:
    ask = {"prompt": "a fox", "model": "dall-e-3", "response_format": response_format, "quality": "hd"}
    document = (await client.post("/v1/images/generations", json=ask)).json()
    conforms(document, ImagesResponse)
    conforms(document["data"][0], Image)


async def test_image_events(client: Client) -> None:
    answer = await client.post("/v1/images/generations", json={"prompt": "a fox", "stream": True})
    conforms(json.loads(answer.text.split("data: ")[1]), ImageGenCompletedEvent)
    files = {"image": ("a.png", fake_picture(), "image/png")}
    answer = await client.post("/v1/images/edits", data={"prompt": "b", "stream": "true"}, files=files)
    conforms(json.loads(answer.text.split("data: ")[1]), ImageEditCompletedEvent)


@pytest.mark.parametrize("model", ["gpt-image-1", "sora-2"])
async def test_chat(client: Client, fakes: FakeDoors, model: str) -> None:
    fakes.generate.notes = ("making",)
    ask = {"model": model, "messages": [{"role": "user", "content": "a fox"}], "n": 2}
    conforms((await client.post("/v1/chat/completions", json=ask)).json(), ChatCompletion)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    answer = await client.post("/v1/chat/completions", json=ask | options)
    frames = answer.text.strip().split("\n\n")
    assert frames.pop() == "data: [DONE]"
    for frame in frames:
        conforms(json.loads(frame.removeprefix("data: ")), ChatCompletionChunk)


async def test_videos(client: Client, fakes: FakeDoors) -> None:
    conforms((await client.post("/v1/videos", json={"prompt": "waves"})).json(), Video)
    row = fakes.generations.plant("video_1")
    fakes.generations.rows["video_2"] = row.entering(Phase.POLLING, START).progressed(30)
    fakes.generations.rows["video_3"] = row.failed(Fault("moderation_blocked", "Refused."), START)
    fakes.generations.plant_completed("video_4", size="1920x1080")
    for number in (1, 2, 3, 4):
        conforms((await client.get(f"/v1/videos/video_{number}")).json(), Video)
    listed = (await client.get("/v1/videos")).json()
    assert set(listed) == {"object", "data", "first_id", "last_id", "has_more"}
    for document in listed["data"]:
        conforms(document, Video)
    conforms((await client.delete("/v1/videos/video_1")).json(), VideoDeleteResponse)
