"""Calls that make pictures and answer with their bytes: ``generateContent`` and ``predict``."""

import base64
import random
from typing import Any

import msgspec

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.checks import mentions
from flow2api.simulator.gemini.access import check_shape, generating_account, picture, place, played_model, take
from flow2api.simulator.gemini.bodies import GenerateContent, ImageConfig, Predict
from flow2api.simulator.gemini.errors import GeminiError
from flow2api.simulator.gemini.models import RATIOS, SCALES
from flow2api.simulator.gemini.reading import read_json
from flow2api.simulator.ids import new_uuid
from flow2api.simulator.media import MediaItem
from flow2api.simulator.world import World

GENERATE = msgspec.json.Decoder(GenerateContent)
PREDICT = msgspec.json.Decoder(Predict)
TOKENS_PER_PICTURE = 1120


async def generate_content(world: World, call: Call) -> Response:
    """Makes one picture of the words and pictures of the last turn."""
    account = generating_account(call)
    name = call.target
    model = played_model(name, "generateContent", call.version)
    body = read_json(call, GENERATE)
    parts = [part for content in body.contents for part in content.parts]
    prompt = " ".join(part.text for part in parts if part.text)
    if not parts:
        raise GeminiError(400, "* GenerateContentRequest.contents: contents is not specified")
    inputs = [picture(account, part.inline_data.data, world.clock.now()) for part in parts if part.inline_data]
    if len(inputs) > model.references:
        raise GeminiError(400, f"At most {model.references} input images are supported.")
    shape, config = body.generation_config.image_config, body.generation_config
    check_shape(model, shape.aspect_ratio, shape.image_size)
    if "IMAGE" not in config.response_modalities:
        return json_response(_answer(name, [{"text": "A picture was not asked for."}], "STOP"))
    if mentions(prompt, world.options.unsafe_word):
        return json_response(_answer(name, [], "", block="PROHIBITED_CONTENT"))
    with place(world, account):
        take(world, account, name)
        await world.clock.sleep(world.options.picture_s)
    if mentions(prompt, world.options.filtered_word):
        return json_response(_answer(name, [], "IMAGE_SAFETY"))
    if call.fault("empty_media"):
        return json_response(_answer(name, [{"text": "No picture came about."}], "NO_IMAGE"))
    item = picture_item(world, account, prompt, name, shape, config.seed, tuple(inputs))
    return json_response(_answer(name, await _parts(world, item), "STOP"))


async def predict(world: World, call: Call) -> Response:
    """Makes pictures of words alone."""
    account = generating_account(call)
    name = call.target
    model = played_model(name, "predict", call.version)
    body = read_json(call, PREDICT)
    if not body.instances:
        raise GeminiError(400, "instances is not specified")
    prompt, wanted = body.instances[0].prompt, body.parameters
    check_shape(model, wanted.aspect_ratio, wanted.sample_image_size)
    if mentions(prompt, world.options.unsafe_word) or mentions(prompt, world.options.filtered_word):
        told = {"raiFilteredReason": "The prompt was filtered by the safety settings."}
        return json_response({"predictions": [told]} if wanted.include_rai_reason else {})
    with place(world, account):
        take(world, account, name)
        await world.clock.sleep(world.options.picture_s)
    shape = ImageConfig(wanted.aspect_ratio, wanted.sample_image_size)
    items = [
        picture_item(world, account, prompt, name, shape, None if wanted.seed is None else wanted.seed + number, ())
        for number in range(wanted.sample_count)
    ]
    predictions = [await _encoded(world, item) for item in items]
    return json_response(
        {"predictions": [{"mimeType": mime, "bytesBase64Encoded": text} for mime, text in predictions]}
    )


def picture_item(
    world: World,
    account: Account,
    prompt: str,
    model: str,
    shape: ImageConfig,
    seed: int | None,
    sources: tuple[MediaItem, ...],
) -> MediaItem:
    """A picture that is made; nobody can ask for it again."""
    width, height = (int(side * SCALES[shape.image_size]) for side in RATIOS[shape.aspect_ratio])
    name = new_uuid()
    return MediaItem(
        key=name,
        name=name,
        account=account,
        project="",
        kind="picture",
        created_at=world.clock.now(),
        prompt=prompt,
        model=model,
        seed=random.randint(1, 999_999) if seed is None else seed,
        ratio=shape.aspect_ratio,
        width=width,
        height=height,
        sources=sources,
    )


async def _encoded(world: World, item: MediaItem) -> tuple[str, str]:
    content = await world.renderer.picture(item, world.options)
    mime = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    return mime, base64.b64encode(content).decode()


async def _parts(world: World, item: MediaItem) -> list[dict[str, Any]]:
    """What the model thought, with a draft that is not the result, and then the result."""
    mime, text = await _encoded(world, item)
    draft = base64.b64encode(b"\x89PNG\r\n\x1a\n a draft that nobody should take for the result").decode()
    return [
        {"text": "The user wants a picture.", "thought": True},
        {"inlineData": {"mimeType": "image/png", "data": draft}, "thought": True},
        {"text": "Here it is."},
        {"inlineData": {"mimeType": mime, "data": text}, "thoughtSignature": "c2lnbmF0dXJl"},
    ]


def _answer(model: str, parts: list[dict[str, Any]], finish: str, *, block: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = {"modelVersion": model, "responseId": new_uuid()}
    if block:
        return {"promptFeedback": {"blockReason": block}, "usageMetadata": {"promptTokenCount": 9}, **answer}
    candidate: dict[str, Any] = {"index": 0, "finishReason": finish}
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    tokens = TOKENS_PER_PICTURE if any("inlineData" in part for part in parts) else 0
    usage = {"promptTokenCount": 9, "candidatesTokenCount": tokens, "totalTokenCount": 9 + tokens}
    return {"candidates": [candidate], "usageMetadata": usage, **answer}
