"""Calls around interactions, over which Omni makes videos."""

import base64
import secrets
from typing import Any

import msgspec

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.clock import rfc3339
from flow2api.simulator.gemini.access import check_shape, generating_account, key_account, picture, played_model
from flow2api.simulator.gemini.bodies import Block, CreateInteraction
from flow2api.simulator.gemini.errors import GeminiError
from flow2api.simulator.gemini.reading import read_json
from flow2api.simulator.gemini.videos import BLOCKED, FILTERED, begin, own_job, video_item
from flow2api.simulator.jobs import Job
from flow2api.simulator.world import World

CREATE = msgspec.json.Decoder(CreateInteraction)
TASKS = {"text_to_video": (0, 0), "image_to_video": (1, 1), "reference_to_video": (1, 5)}
"""Tasks with the least and the greatest number of pictures that they take."""


async def create(world: World, call: Call) -> Response:
    """Begins an interaction in the background."""
    try:
        return await _create(world, call)
    except GeminiError as error:
        return error.interaction_response()


async def look(world: World, call: Call) -> Response:
    """How an interaction stands."""
    try:
        return json_response(await _told(world, own_job(world, key_account(call), call.target)))
    except GeminiError as error:
        return error.interaction_response()


async def _create(world: World, call: Call) -> Response:
    account = generating_account(call)
    body = read_json(call, CREATE)
    model = played_model(body.model, "interactions", call.version)
    wanted = body.response_format
    if wanted.type != "video" or not body.background or not body.store or body.stream:
        raise GeminiError(400, "A video is made in the background, is stored, and does not stream.")
    if body.generation_config.video_config.task == "edit":
        return json_response(await _told(world, _edit(world, call, account, body)))
    if body.previous_interaction_id is not None:
        raise GeminiError(400, "A previous interaction is gone on from by the task edit.")
    seconds = wanted.duration.removesuffix("s")
    check_shape(model, wanted.aspect_ratio, wanted.resolution, int(seconds) if seconds.isdigit() else 0)
    blocks = [Block("text", body.input)] if isinstance(body.input, str) else body.input
    prompt = " ".join(block.text for block in blocks if block.text)
    now = world.clock.now()
    sources = tuple(picture(account, block.data or "", now) for block in blocks if block.type == "image")
    _check_task(body.generation_config.video_config.task, prompt, len(sources))
    item = video_item(world, account, prompt, body.model, wanted.aspect_ratio, wanted.resolution, int(seconds))
    item.sources = sources
    job = begin(world, call, account, item, _new_name())
    return json_response(await _told(world, job))


def _edit(world: World, call: Call, account: Account, body: CreateInteraction) -> Job:
    """Begin the change of a video; its shape and length are those of what is changed.

    Raises:
        GeminiError: 400, there is no text; 404, there is no such interaction with a video.
    """
    if not isinstance(body.input, str) or not body.input.strip():
        raise GeminiError(400, "The input has no text.")
    before = own_job(world, account, body.previous_interaction_id or "")
    if before.state(world.clock.now()) != "SUCCESSFUL" or not before.name.startswith("v1_"):
        raise GeminiError(404, "The previous interaction has no video.")
    source = before.item
    ratio = "16:9" if source.ratio == "LANDSCAPE" else "9:16"
    item = video_item(world, account, body.input, body.model, ratio, "720p", int(source.seconds))
    item.sources, item.role = (source,), "extend"
    return begin(world, call, account, item, _new_name())


def _new_name() -> str:
    return f"v1_{secrets.token_urlsafe(24)}"


def _check_task(task: str, prompt: str, pictures: int) -> None:
    if not prompt.strip():
        raise GeminiError(400, "The input has no text.")
    least, most = TASKS.get(task, (1, 0))
    if not least <= pictures <= most:
        raise GeminiError(400, f"The task {task} does not take {pictures} pictures.")


async def _told(world: World, job: Job) -> dict[str, Any]:
    now = world.clock.now()
    told: dict[str, Any] = {
        "id": job.name,
        "object": "interaction",
        "model": job.model_key,
        "created": rfc3339(job.created_at),
        "updated": rfc3339(now),
        "steps": [{"type": "user_input", "content": [{"type": "text", "text": job.prompt}]}],
    }
    state = job.state(now)
    if state not in ("SUCCESSFUL", "FAILED"):
        return told | {"status": "in_progress" if state == "ACTIVE" else "queued"}
    job.settle(now)
    if state == "FAILED":
        code = "content_blocked" if job.fail_reason in (BLOCKED, FILTERED) else "internal"
        return told | {"status": "failed", "error": {"code": code, "message": job.fail_reason}}
    told["steps"] += [
        {"type": "thought", "signature": "c2lnbmF0dXJl"},
        {"type": "model_output", "content": [await _video(world, job)]},
    ]
    return told | {"status": "completed"}


async def _video(world: World, job: Job) -> dict[str, Any]:
    """It comes along, as it does at Google whatever delivery was asked for."""
    data = base64.b64encode(await world.renderer.video(job.item, world.options)).decode()
    return {"type": "video", "mime_type": "video/mp4", "data": data}
