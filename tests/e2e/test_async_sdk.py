"""The asynchronous official SDK: videos, models and streamed edits."""

import asyncio
from typing import Any

import openai
import pytest

from tests.e2e.test_pictures import opened, png
from tests.e2e.test_videos import seconds_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


async def finished(client: openai.AsyncOpenAI, video_id: str) -> Any:
    async with asyncio.timeout(60):
        while (video := await client.videos.retrieve(video_id)).status in ("queued", "in_progress"):
            await asyncio.sleep(0.1)
    return video


async def test_video_from_its_order_to_its_end(async_client: openai.AsyncOpenAI) -> None:
    made = await async_client.videos.create(model="sora-2", prompt="a boat", seconds="8", size="1280x720")
    assert made.object == "video"
    assert made.seconds == "8"
    done = await finished(async_client, made.id)
    assert (done.status, done.progress, done.size) == ("completed", 100, "1280x720"), done.error
    content = await async_client.videos.download_content(made.id)
    assert seconds_of(await content.aread()) == pytest.approx(8, abs=0.5)
    assert made.id in [video.id async for video in async_client.videos.list(limit=1)]
    deleted = await async_client.videos.delete(made.id)
    assert (deleted.id, deleted.deleted) == (made.id, True)
    with pytest.raises(openai.NotFoundError):
        await async_client.videos.retrieve(made.id)
    assert made.id not in [video.id async for video in async_client.videos.list()]


async def test_models_are_listed_and_found(async_client: openai.AsyncOpenAI) -> None:
    listed = [model async for model in async_client.models.list()]
    ids = [model.id for model in listed]
    assert len(ids) == len(set(ids))
    assert {"gemini-3.0-pro-image", "veo_3_1_t2v_fast"} <= set(ids)
    one = await async_client.models.retrieve(ids[0])
    assert one == listed[0]
    with pytest.raises(openai.NotFoundError) as missing:
        await async_client.models.retrieve("no-such-model")
    assert missing.value.code == "model_not_found"


async def test_edit_streams(async_client: openai.AsyncOpenAI) -> None:
    stream = await async_client.images.edit(
        model="gpt-image-1", image=("a.png", png()), prompt="bluer", stream=True, partial_images=1
    )
    events: list[Any] = [event async for event in stream]
    assert events[-1].type == "image_edit.completed"
    assert opened(events[-1].b64_json).width > 0
    assert events[-1].usage is not None
    assert {event.type for event in events[:-1]} <= {"image_edit.partial_image"}
