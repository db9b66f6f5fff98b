"""Calls that begin videos with Veo and ask for them: ``predictLongRunning`` and its operations."""

import secrets
from typing import Any

import msgspec

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.checks import mentions
from flow2api.simulator.gemini.access import (
    check_shape,
    crowd,
    generating_account,
    key_account,
    picture,
    played_model,
    take,
)
from flow2api.simulator.gemini.bodies import PredictLongRunning, VideoInstance, VideoParameters
from flow2api.simulator.gemini.errors import GeminiError
from flow2api.simulator.gemini.models import HEIGHTS, MODELS
from flow2api.simulator.gemini.reading import read_json
from flow2api.simulator.jobs import Job
from flow2api.simulator.media import MediaItem
from flow2api.simulator.world import World

PREDICT_LONG = msgspec.json.Decoder(PredictLongRunning)
FILE_DAYS_S = 2 * 86_400.0
EXTENDED_BY_S = 7
LONGEST_SOURCE_S = 141
BLOCKED = "The prompt contains words that violate the policies on responsible use of AI."
FILTERED = "The video was filtered for reasons of safety."


async def predict_long_running(world: World, call: Call) -> Response:
    """Begins a video."""
    account = generating_account(call)
    name = call.target
    model = played_model(name, "predictLongRunning", call.version)
    body = read_json(call, PREDICT_LONG)
    if len(body.instances) != 1 or not body.instances[0].prompt.strip():
        raise GeminiError(400, "Exactly one instance with a prompt is supported.")
    instance, wanted = body.instances[0], body.parameters
    check_shape(model, wanted.aspect_ratio, wanted.resolution, wanted.duration_seconds)
    if instance.video is not None:
        item = _continued(world, account, name, instance, instance.video.uri, wanted)
        return json_response({"name": begin(world, call, account, item, _operation(name)).name})
    sources = _inputs(world, account, instance)
    if len(instance.reference_images) > model.references:
        raise GeminiError(400, "`referenceImages` isn't supported by this model.")
    item = video_item(
        world, account, instance.prompt, name, wanted.aspect_ratio, wanted.resolution, wanted.duration_seconds
    )
    item.sources, item.role = sources, "references" if instance.reference_images else "frames"
    item.role = item.role if sources else "references"
    return json_response({"name": begin(world, call, account, item, _operation(name)).name})


async def operation(world: World, call: Call) -> Response:
    """How a video of Veo's stands."""
    job = own_job(world, key_account(call), call.target)
    told: dict[str, Any] = {"name": job.name}
    state = job.state(world.clock.now())
    if state not in ("SUCCESSFUL", "FAILED"):
        return json_response(told)
    job.settle(world.clock.now())
    told["done"] = True
    if state == "SUCCESSFUL":
        address = f"{world.links.base_url}/gemini/{call.version}/files/{job.item.name}:download?alt=media"
        samples = [] if call.fault("no_url") else [{"video": {"uri": address, "encoding": "video/mp4"}}]
        told["response"] = {"generateVideoResponse": {"generatedSamples": samples}}
    elif job.fail_reason == FILTERED:
        filtered = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [FILTERED]}
        told["response"] = {"generateVideoResponse": filtered}
    else:
        told["error"] = {"code": 3 if job.fail_reason == BLOCKED else 13, "message": job.fail_reason}
    return json_response(told)


def own_job(world: World, account: Account, name: str) -> Job:
    """A job of the account.

    Raises:
        GeminiError: 404.
    """
    job = world.jobs.find(name)
    if job is None or job.account is not account:
        raise GeminiError(404, "Requested entity was not found.")
    return job


def begin(world: World, call: Call, account: Account, item: MediaItem, name: str) -> Job:
    """Begin the job that makes a video; it is counted, and holds a place until it has ended.

    Raises:
        GeminiError: A quota is used up, or there is no place left.
    """
    options, now = world.options, world.clock.now()
    reason = next(
        (
            text
            for word, text in (
                (options.unsafe_word, BLOCKED),
                (options.filtered_word, FILTERED),
                (options.latefail_word, FILTERED),
            )
            if mentions(item.prompt, word)
        ),
        "",
    )
    fault = call.fault("fail_job")
    ends_at = None if call.fault("stuck_job") else now + options.video_s
    job = Job(
        name=name,
        item=item,
        account=account,
        project="",
        kind="gemini",
        model_key=item.model,
        prompt=item.prompt,
        price=0,
        created_at=now,
        active_at=now + options.video_s * options.pending_share,
        ends_at=ends_at,
        fail_reason=(fault.reason or "Internal error.") if fault else reason,
    )
    crowd(world, account, {name: job})
    try:
        take(world, account, item.model)
    except GeminiError:
        account.running.pop(name, None)
        raise
    item.ready_at = float("inf") if job.fail_reason or ends_at is None else ends_at
    item.expires_at = now + FILE_DAYS_S
    world.kept.add(item)
    world.jobs.add(job)
    return job


def video_item(
    world: World, account: Account, prompt: str, model: str, ratio: str, resolution: str, seconds: int
) -> MediaItem:
    """A video in the making; its name is that of its file, in lower case and digits alone."""
    short = HEIGHTS[resolution]
    long = short * 16 // 9
    name = secrets.token_hex(6)
    return MediaItem(
        key=name,
        name=name,
        account=account,
        project="",
        kind="video",
        created_at=world.clock.now(),
        prompt=prompt,
        model=model,
        seed=secrets.randbelow(999_999),
        ratio="LANDSCAPE" if ratio == "16:9" else "PORTRAIT",
        width=long if ratio == "16:9" else short,
        height=short if ratio == "16:9" else long,
        seconds=float(seconds),
    )


def _operation(model: str) -> str:
    return f"models/{model}/operations/{secrets.token_hex(8)}"


def _continued(
    world: World, account: Account, model: str, instance: VideoInstance, address: str, wanted: VideoParameters
) -> MediaItem:
    """A video that holds another one and seven seconds more.

    Raises:
        GeminiError: 400, the request cannot be made together with a video; 403, there is no such file of this account.
    """
    if not MODELS[model].extends:
        raise GeminiError(400, "`video` isn't supported by this model.")
    if instance.image or instance.last_frame or instance.reference_images:
        raise GeminiError(400, "`video` can't be combined with pictures.")
    if wanted.duration_seconds != max(MODELS[model].seconds) or wanted.resolution != "720p":
        raise GeminiError(400, "A video is extended in 720p and by a fixed length.")
    file, now = address.rpartition("files/")[2].partition(":")[0], world.clock.now()
    source = world.kept.items.get(file)
    if source is None or source.account is not account or source.kind != "video" or source.ready_at > now:
        raise GeminiError(403, f"You do not have permission to access the File {file} or it may not exist.")
    if source.expires_at is not None and now > source.expires_at:
        raise GeminiError(403, f"You do not have permission to access the File {file} or it may not exist.")
    if not source.model.startswith("veo-3.1") or source.seconds > LONGEST_SOURCE_S:
        raise GeminiError(400, "Only videos of Veo 3.1 up to 141 s can be extended.")
    ratio = "16:9" if source.ratio == "LANDSCAPE" else "9:16"
    seconds = int(source.seconds)
    tail = video_item(world, account, instance.prompt, model, ratio, "720p", EXTENDED_BY_S)
    tail.sources, tail.role = (source,), "extend"
    item = video_item(world, account, instance.prompt, model, ratio, "720p", seconds + EXTENDED_BY_S)
    item.sources, item.role, item.clip_s = (source, tail), "join", (float(seconds), float(EXTENDED_BY_S))
    return item


def _inputs(world: World, account: Account, instance: VideoInstance) -> tuple[MediaItem, ...]:
    if instance.reference_images and (instance.image or instance.last_frame):
        raise GeminiError(400, "`referenceImages` can't be combined with `image` or `lastFrame`.")
    if instance.last_frame and not instance.image:
        raise GeminiError(400, "`lastFrame` needs `image`.")
    images = [instance.image, instance.last_frame, *(one.image for one in instance.reference_images)]
    now = world.clock.now()
    return tuple(picture(account, image.bytes_base64_encoded, now) for image in images if image is not None)
