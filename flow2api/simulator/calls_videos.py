"""Calls around videos: submit in every mode, and the poll of many at once."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.catalog import ModelKey, price
from flow2api.simulator.checks import (
    bearer_account,
    generating_account,
    mentions,
    model_key,
    own_project,
    owned_media,
    read_body,
    safe_prompt,
)
from flow2api.simulator.errors import CallError
from flow2api.simulator.ids import VIDEO, media_name, new_uuid, operation_name
from flow2api.simulator.jobs import Job
from flow2api.simulator.media import VIDEO_SIZES, MediaItem
from flow2api.simulator.request_bodies import PollVideos, SubmitVideos, VideoRequest, prompt_text
from flow2api.simulator.wire import WIRES
from flow2api.simulator.world import World

Mode = Literal["t2v", "r2v", "i2v", "upscale", "extend"]
SUBMIT = msgspec.json.Decoder(SubmitVideos)
POLL = msgspec.json.Decoder(PollVideos)
LARGE_SIDES = {"VIDEO_RESOLUTION_1080P": 1920, "VIDEO_RESOLUTION_4K": 3840}
RESOLUTIONS = {"veo_3_1_upsampler_1080p": "VIDEO_RESOLUTION_1080P", "veo_3_1_upsampler_4k": "VIDEO_RESOLUTION_4K"}
ROLES: dict[Mode, Literal["references", "frames", "extend", "upscale"]] = {
    "t2v": "references",
    "r2v": "references",
    "i2v": "frames",
    "extend": "extend",
    "upscale": "upscale",
}
KEY_MODES: dict[str, tuple[Mode, tuple[str, ...]]] = {
    "submit_text_video": ("t2v", ("t2v", "r2v")),  # a reference key without pictures comes this way too
    "submit_reference_video": ("r2v", ("r2v",)),
    "submit_start_end_video": ("i2v", ("i2v",)),
    "submit_start_video": ("i2v", ("i2v",)),
    "submit_video_upscale": ("upscale", ("upscale",)),
    "submit_video_extend": ("extend", ("extend",)),
}


@dataclass(slots=True, frozen=True)
class Order:
    """A request of a submit that was found good."""

    request: VideoRequest
    key: ModelKey
    ratio: str
    prompt: str
    sources: tuple[MediaItem, ...]


async def submit(world: World, call: Call) -> Response:
    """Accepts videos, takes their credits and answers with their handles."""
    account = generating_account(world, call)
    body = read_body(call, SUBMIT)
    project = own_project(account, body.clientContext.projectId)
    if not body.requests:
        raise CallError(400, message="Invalid value at 'requests': empty.")
    mode, key_modes = KEY_MODES[call.name]
    orders = [check_request(world, account, project, call.name, key_modes, request) for request in body.requests]
    if call.fault("empty_media") or any(mentions(order.prompt, world.options.filtered_word) for order in orders):
        return json_response({"remainingCredits": account.knobs.credits})
    batch = body.mediaGenerationContext.batchId if body.mediaGenerationContext else None
    jobs = [make_job(world, account, project, mode, order, batch or new_uuid()) for order in orders]
    stage(world, call, jobs)
    book(world, account, jobs)
    world.record.submits += 1
    return json_response(WIRES[world.options.era].submitted(jobs, account.knobs.credits))


def check_request(
    world: World, account: Account, project: str, call: str, key_modes: tuple[str, ...], request: VideoRequest
) -> Order:
    """A request whose model, ratio, inputs and prompt are good.

    Raises:
        CallError: One of them is not.
    """
    ratio = request.aspectRatio.removeprefix("VIDEO_ASPECT_RATIO_")
    key = model_key(world, account, request.videoModelKey, ratio, key_modes)
    names = input_names(call, world.options.era, key, request)
    sources = owned_media(world, account, names, project)
    if call in {"submit_video_upscale", "submit_video_extend"}:
        if sources[0].kind != "video":
            raise CallError(400, message="Invalid value at 'videoInput.mediaId': not a video.")
        ratio = sources[0].ratio
    elif any(source.kind == "video" for source in sources):
        raise CallError(400, message="Invalid value at 'mediaId': not an image.")
    if call == "submit_video_upscale":
        return Order(request, key, ratio, sources[0].prompt, sources)
    text = request.textInput
    prompt = safe_prompt(world, prompt_text(text.prompt, text.structuredPrompt) if text else "")
    return Order(request, key, ratio, prompt, sources)


def input_names(call: str, era: str, key: ModelKey, request: VideoRequest) -> list[str]:
    """The media that a request takes in, once their number and kind fit the call and the key.

    Raises:
        CallError: 400.
    """
    frames = [frame.mediaId for frame in (request.startImage, request.endImage) if frame is not None]
    references = [reference.mediaId for reference in request.referenceImages]
    videos = [request.videoInput.mediaId] if request.videoInput else []
    wanted = {"submit_text_video": [], "submit_reference_video": references}.get(
        call, frames if call in {"submit_start_end_video", "submit_start_video"} else videos
    )
    if len(frames) + len(references) + len(videos) != len(wanted):
        raise CallError(400, message="Invalid value: this kind of request does not take these inputs.")
    if wanted is references and not 1 <= len(references) <= key.references:
        raise CallError(400, message=f"Invalid value at 'referenceImages': 1 to {key.references} are supported.")
    if wanted is frames:
        check_frames(call, era, key, request)
    if wanted is videos and not videos:
        raise CallError(400, message="Invalid value at 'videoInput': missing.")
    if call == "submit_video_upscale" and RESOLUTIONS.get(request.videoModelKey) != request.resolution:
        raise CallError(400, message="Invalid value at 'resolution': it does not fit the model key.")
    return wanted


def check_frames(call: str, era: str, key: ModelKey, request: VideoRequest) -> None:
    """Refuses frame pictures that do not fit the call or the key.

    Raises:
        CallError: 400.
    """
    count = (request.startImage is not None) + (request.endImage is not None)
    least, most = key.frames
    if request.startImage is None or not least <= count <= most:
        raise CallError(400, message=f"Invalid value at 'startImage': {least} to {most} frame images are supported.")
    if call == "submit_start_video" and (count != 1 or (era != "seed" and "_fl" in request.videoModelKey)):
        raise CallError(400, message="Invalid value: this request takes one start image and a key without _fl.")


def make_job(world: World, account: Account, project: str, mode: Mode, order: Order, batch: str) -> Job:
    """The job of an order and the media that it will make."""
    era, options, now = world.options.era, world.options, world.clock.now()
    request = order.request
    item = video_item(world, account, project, mode, order)
    duration = options.video_upscale_s if mode == "upscale" else options.video_s
    return Job(
        name=operation_name(era, item.name),
        item=item,
        account=account,
        project=project,
        kind=mode,
        model_key=request.videoModelKey,
        prompt=order.prompt,
        price=price(request.videoModelKey, order.key, account.knobs.tier),
        created_at=now,
        active_at=now + duration * options.pending_share,
        ends_at=now + duration,
        waiting_state="PENDING" if mode == "t2v" else "SCHEDULED",
        workflow=(request.metadata.workflowId if request.metadata else None) or new_uuid(),
        scene=(request.metadata.sceneId if request.metadata else None) or new_uuid(),
        batch=batch,
    )


def video_item(world: World, account: Account, project: str, mode: Mode, order: Order) -> MediaItem:
    """The media of an order."""
    request, source, key = order.request, order.sources[0] if order.sources else None, new_uuid()
    name = media_name(world.options.era, VIDEO, project, key)
    if mode == "upscale" and source is not None and world.options.era != "seed":
        key = name = free_name(world, f"{source.name}_upsampled")
    width, height = VIDEO_SIZES[order.ratio]
    if request.resolution:
        factor = LARGE_SIDES[request.resolution] / max(width, height)
        width, height = int(width * factor), int(height * factor)
    return MediaItem(
        key=key,
        name=name,
        account=account,
        project=project,
        kind="video",
        created_at=world.clock.now(),
        prompt=order.prompt,
        model=request.videoModelKey,
        seed=random.randint(1, 99_999) if request.seed is None else request.seed,
        ratio=order.ratio,
        width=width,
        height=height,
        seconds=source.seconds if mode == "upscale" and source else order.key.seconds,
        sources=order.sources,
        role=ROLES[mode],
        not_found_left=world.options.redirect_not_found_first,
    )


def free_name(world: World, name: str) -> str:
    """The name itself, or with a number when the same video was upscaled before."""
    number, free = 2, name
    while free in world.kept.items:
        free = f"{name}_{number}"
        number += 1
    return free


def stage(world: World, call: Call, jobs: list[Job]) -> None:
    """Decides how the jobs end."""
    failing, stuck = call.fault("fail_job"), call.fault("stuck_job")
    for job in jobs:
        if mentions(job.prompt, world.options.latefail_word):
            job.fail_reason = world.options.latefail_reason
        if failing:
            job.fail_reason = failing.reason or "PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT"
        if stuck:
            job.ends_at = None
        good = job.ends_at is not None and not job.fail_reason
        job.item.ready_at = job.ends_at if good and job.ends_at is not None else float("inf")


def book(world: World, account: Account, jobs: list[Job]) -> None:
    """Lets the jobs begin: their places, quotas and credits are taken.

    Raises:
        CallError: There is not enough of one; nothing was taken.
    """
    account.start({job.name: job for job in jobs}, world.clock.now())
    try:
        for name, count in Counter(job.model_key for job in jobs).items():
            account.take(name, count, sum(job.price for job in jobs if job.model_key == name), world.clock.today())
    except CallError:
        for job in jobs:
            account.running.pop(job.name, None)
        raise
    for job in jobs:
        world.kept.add(job.item)
        world.jobs.add(job)


async def poll(world: World, call: Call) -> Response:
    """The state of many jobs. One that is unknown or foreign refuses the whole call."""
    account = bearer_account(world, call)
    body = read_body(call, POLL)
    names = [entry.operation.name for entry in body.operations] + [entry.name for entry in body.media]
    limit = world.options.poll_batch_limit
    if not names or (limit is not None and len(names) > limit):
        raise CallError(400, message=f"Invalid value: between 1 and {limit or 'many'} operations are supported.")
    world.record.polled_operations += len(names)
    if call.fault("empty_media"):
        return json_response({})
    now, hide_url = world.clock.now(), call.fault("no_url") is not None
    entries = [encoded(world, owned_job(world, account, name), now, hide_url=hide_url) for name in names]
    return json_response(WIRES[world.options.era].polled(entries, account.knobs.credits))


def owned_job(world: World, account: Account, name: str) -> Job:
    """A job of that account.

    Raises:
        CallError: 404.
    """
    job = world.jobs.find(name)
    if job is None or job.account is not account:
        raise CallError(404)
    return job


def encoded(world: World, job: Job, now: float, *, hide_url: bool) -> Any:
    """One entry of a poll, kept in its encoded form for half of its link's life."""
    era, life = world.options.era, world.options.url_lifetime_s
    job.settle(now)
    state = job.state(now)
    if hide_url:
        return WIRES[era].entry_of(job, state, "")
    kept = job.wire.get((era, state))
    if kept is not None and kept[0] <= now <= kept[0] + life / 2:
        return kept[1]
    url = world.links.storage("video", job.item.key, now + life) if state == "SUCCESSFUL" and era == "seed" else ""
    raw = msgspec.Raw(msgspec.json.encode(WIRES[era].entry_of(job, state, url)))
    job.wire[era, state] = (now, raw)
    return raw
