"""What particular clients send, word for word, and what they read of the answer."""

import base64
from typing import Any

import pytest

from flow2api.testing.fakes.media import fake_picture
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.conftest import Client

PICTURE = base64.b64encode(fake_picture()).decode()
DATA_URL = f"data:image/png;base64,{PICTURE}"
IMAGES = "/v1/images/generations"

JSON_REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai sdk, all fields": (IMAGES, {
        "prompt": "a fox", "model": "gpt-image-2", "n": 1, "size": "1536x1024", "quality": "xhigh",
        "background": "opaque", "output_format": "jpeg", "output_compression": 90, "moderation": "low",
        "partial_images": 0, "stream": False, "safety_identifier": "x", "user": "y", "complexity": "high",
        "frame_count": 1, "frame_duration_ms": 10,
    }),
    "open webui, old install": (IMAGES, {
        "prompt": "a fox", "model": "dall-e-2", "n": 1, "size": "512x512", "response_format": "b64_json",
    }),
    "open webui, free size": (IMAGES, {"prompt": "a fox", "model": "gpt-image-1", "n": 1, "size": "4096x2160"}),
    "cherry studio through the ai sdk": (IMAGES, {
        "prompt": "a fox", "model": "gemini-3.1-flash-image", "n": 1, "size": "1024x1024", "response_format": "b64_json",
        "quality": "auto", "background": "auto", "moderation": "auto", "seed": 5, "aspectRatio": "16:9",
    }),
    "lobechat passes everything on": (IMAGES, {
        "prompt": "a fox", "model": "gemini-3.1-flash-image", "aspectRatio": "3:4", "seed": 9, "resolution": "1K",
        "cfg": 7.5, "steps": 20, "imageUrls": None,
    }),
    "lobechat with a picture": (IMAGES, {"prompt": "a fox", "model": "gpt-image-1", "image": [DATA_URL]}),
    "n8n": (IMAGES, {"prompt": "a fox", "model": "dall-e-3", "response_format": "b64_json", "quality": "standard",
                     "style": "vivid", "size": "1024x1792"}),
    "chat with modalities": ("/v1/chat/completions", {
        "model": "gpt-image-1", "modalities": ["image", "text"], "messages": [{"role": "user", "content": "a fox"}],
    }),
    "chat with everything": ("/v1/chat/completions", {
        "model": "gpt-image-1", "messages": [{"role": "system", "content": "s"}, {"role": "user", "name": "u", "content": [
            {"type": "text", "text": "a fox", "prompt_cache_breakpoint": {"type": "x"}},
            {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "original"}}]}],
        "temperature": 1, "top_p": 1, "max_tokens": 5, "tools": [], "tool_choice": "auto", "response_format": {"type": "text"},
        "presence_penalty": 0, "stream_options": {"include_usage": True, "include_obfuscation": False}, "stop": None,
    }),
    "lobechat video": ("/v1/videos", {
        "model": "sora-2", "prompt": "waves", "seconds": "8", "size": "1280x720", "input_reference": DATA_URL,
    }),
    "seconds as a number": ("/v1/videos", {"model": "sora-2", "prompt": "waves", "seconds": 8}),
    "edits in json": ("/v1/images/edits", {"prompt": "a fox", "images": [{"image_url": DATA_URL}], "mask": {"image_url": DATA_URL}}),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON_REQUESTS)
async def test_json_requests_are_understood(client: Client, name: str) -> None:
    path, body = JSON_REQUESTS[name]
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text


FORMS: dict[str, tuple[str, list[tuple[str, Any]]]] = {
    "openai sdk edit": ("/v1/images/edits", [
        ("prompt", "a fox"), ("model", "gpt-image-1.5"), ("n", "2"), ("size", "1024x1024"), ("quality", "low"),
        ("output_compression", "80"), ("output_format", "webp"), ("input_fidelity", "high"), ("stream", "false"),
        ("partial_images", "0"), ("image[]", fake_picture()),
    ]),
    "openai sdk video": ("/v1/videos", [("prompt", "w"), ("model", "sora-2"), ("seconds", "4"), ("size", "720x1280")]),
    "openai sdk video with a frame": ("/v1/videos", [("prompt", "w"), ("seconds", "4"), ("input_reference", fake_picture())]),
    "js sdk video with an address": ("/v1/videos", [("prompt", "w"), ("input_reference[image_url]", DATA_URL)]),
    "n8n edit": ("/v1/images/edits", [
        ("prompt", "a fox"), ("model", "dall-e-2"), ("response_format", "url"), ("image", fake_picture()), ("n", "1"),
    ]),
    "open webui edit": ("/v1/images/edits", [
        ("prompt", "a fox"), ("model", "gpt-image-1"), ("n", "1"), ("background", "auto"), ("image[]", fake_picture()),
        ("image[]", fake_picture()), ("size", ""),
    ]),
    "generations as a form": (IMAGES, [("prompt", "a fox"), ("n", "2"), ("stream", "False"), ("strict", "true")]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
async def test_forms_are_understood(client: Client, name: str) -> None:
    path, fields = FORMS[name]
    parts = [
        (key, ("f.png", value, "image/png") if isinstance(value, bytes) else (None, value)) for key, value in fields
    ]
    answer = await client.post(path, files=parts)
    assert answer.status_code == 200, answer.text


async def test_n8n_reads_base64_of_every_entry(client: Client) -> None:
    document = (await client.post(IMAGES, json={"prompt": "a fox", "model": "dall-e-3", "n": 2})).json()
    assert all(entry["b64_json"] for entry in document["data"])


async def test_n8n_takes_any_truthy_error_for_a_failure(client: Client, fakes: FakeDoors) -> None:
    fakes.generations.plant_completed()
    assert not (await client.get("/v1/videos/video_1")).json()["error"]


async def test_lobechat_finds_id_status_and_link(client: Client, fakes: FakeDoors) -> None:
    fakes.generations.plant_completed()
    document = (await client.get("/v1/videos/video_1")).json()
    assert document["id"]
    assert document["status"] == "completed"
    assert document["url"] == document["metadata"]["url"]


async def test_open_webui_fetches_links_with_its_key(client: Client) -> None:
    ask = {"prompt": "a fox", "model": "dall-e-3", "response_format": "url"}
    url = (await client.post(IMAGES, json=ask)).json()["data"][0]["url"]
    path = url.partition("testserver.local")[2].partition("&for")[0]
    answer = await client.get(path)
    assert answer.headers["content-type"].startswith("image/")


async def test_the_polling_sdk_is_told_how_long_to_wait(client: Client, fakes: FakeDoors) -> None:
    fakes.generations.plant()
    answer = await client.get("/v1/videos/video_1", headers={"x-stainless-poll-helper": "true"})
    assert int(answer.headers["openai-poll-after-ms"]) >= 1000
