"""``/videos``: begun with one call, looked at and fetched with others."""

import math
import random
import secrets
from typing import Any

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.calls_downloads import ranged
from flow2api.simulator.checks import mentions
from flow2api.simulator.jobs import Job
from flow2api.simulator.media import MediaItem
from flow2api.simulator.openai_host.access import crowd, generating_account, key_account, safe_prompt, take
from flow2api.simulator.openai_host.errors import HostError
from flow2api.simulator.openai_host.fields import read_fields
from flow2api.simulator.openai_host.models import MODELS, played_model
from flow2api.simulator.openai_host.pictures import made, taken_in
from flow2api.simulator.world import World

KNOWN = frozenset({"prompt", "model", "seconds", "size"})
EXTENSION_KNOWN = frozenset({"prompt", "video", "seconds"})
REMIX_KNOWN = frozenset({"prompt"})
INPUT_FIELDS = frozenset({"input_reference", "input_reference[]"})
STATES = {
    "PENDING": "queued",
    "SCHEDULED": "queued",
    "ACTIVE": "in_progress",
    "SUCCESSFUL": "completed",
    "FAILED": "failed",
}


async def create(world: World, call: Call) -> Response:
    """Begins a video, and takes its price."""
    account, fields = generating_account(call), read_fields(call)
    name = fields.text("model") or ""
    model = played_model(name, "video", call)
    fields.refuse_unknown(KNOWN)
    prompt, size = safe_prompt(world, fields.text("prompt")), fields.size("720x1280")
    seconds = fields.number("seconds", 4, 1, 60)
    if seconds not in model.seconds:
        raise HostError(400, "invalid_value", f"'seconds' must be one of {model.seconds}.", param="seconds")
    sent = [data for field, data in fields.files if field in INPUT_FIELDS]
    if len(sent) > model.most_inputs:
        raise HostError(400, "invalid_value", "Too many pictures.", param="input_reference")
    sources = taken_in(world, account, sent, "input_reference")
    item = made(world, account, "video", name, prompt, size, sources, random.randint(1, 999_999))
    item.seconds, item.role = seconds, "frames" if sources else "references"
    return json_response(shown(world, _begin(world, call, account, item, seconds)))


async def extend(world: World, call: Call) -> Response:
    """Begins a video that holds another one and what comes after it; only the latter is paid for."""
    account, fields = generating_account(call), read_fields(call)
    fields.refuse_unknown(EXTENSION_KNOWN)
    video = fields.values.get("video")
    source = own_job(world, account, str(video.get("id")) if isinstance(video, dict) else "")
    if source.state(world.clock.now()) != "SUCCESSFUL":
        raise HostError(400, "invalid_value", "The video is not completed.", param="video")
    prompt, seconds = safe_prompt(world, fields.text("prompt")), fields.number("seconds", 4, 4, 20)
    before, size = source.item, (source.item.width, source.item.height)
    tail = made(world, account, "video", source.model_key, prompt, size, (before,), random.randint(1, 999_999))
    tail.seconds, tail.role = seconds, "extend"
    item = made(world, account, "video", source.model_key, prompt, size, (before, tail), tail.seed)
    item.seconds, item.role, item.clip_s = before.seconds + seconds, "join", (before.seconds, float(seconds))
    return json_response(shown(world, _begin(world, call, account, item, seconds)))


async def remix(world: World, call: Call) -> Response:
    """Begins a video that is another one, changed as the prompt says."""
    account, fields = generating_account(call), read_fields(call)
    fields.refuse_unknown(REMIX_KNOWN)
    source = own_job(world, account, call.target)
    if source.state(world.clock.now()) != "SUCCESSFUL":
        raise HostError(400, "invalid_value", "The video is not completed.", param="video_id")
    before = source.item
    prompt, size = safe_prompt(world, fields.text("prompt")), (before.width, before.height)
    item = made(world, account, "video", source.model_key, prompt, size, (before,), random.randint(1, 999_999))
    item.seconds, item.role = before.seconds, "extend"
    job = _begin(world, call, account, item, math.ceil(before.seconds))
    return json_response({**shown(world, job), "remixed_from_video_id": source.name})


def _begin(world: World, call: Call, account: Account, item: MediaItem, paid_s: int) -> Job:
    """Begin the job that makes a video, once its price and its place are there.

    Raises:
        HostError: 429.
    """
    now, options = world.clock.now(), world.options
    fault = call.fault("fail_job")
    reason = (fault.reason or "server_error") if fault else ""
    if mentions(item.prompt, options.latefail_word):
        reason = "moderation_blocked"
    ends_at = None if call.fault("stuck_job") else now + options.video_s
    item.ready_at = math.inf if reason or ends_at is None else ends_at
    job = Job(
        name=f"video_{secrets.token_hex(12)}",
        item=item,
        account=account,
        project="",
        kind="openai",
        model_key=item.model,
        prompt=item.prompt,
        price=MODELS[item.model].price * paid_s,
        created_at=now,
        active_at=now + options.video_s * options.pending_share,
        ends_at=ends_at,
        fail_reason=reason,
    )
    crowd(world, account, {job.name: job})
    try:
        take(world, account, item.model, 1, job.price)
    except HostError:
        account.running.pop(job.name, None)
        raise
    world.kept.add(item)
    world.jobs.add(job)
    return job


async def look(world: World, call: Call) -> Response:
    """How a video stands."""
    job = own_job(world, key_account(call), call.target)
    job.settle(world.clock.now())
    return json_response(shown(world, job), headers=[(b"openai-poll-after-ms", b"1000")])


async def content(world: World, call: Call) -> Response:
    """The bytes of a video, or a picture of it."""
    job = own_job(world, key_account(call), call.target)
    variant = call.arguments().get("variant", "video")
    if variant not in ("video", "thumbnail"):
        raise HostError(400, "invalid_value", f"No variant '{variant[:40]}'.", param="variant")
    if job.state(world.clock.now()) != "SUCCESSFUL":
        raise HostError(404, "not_ready", "The video is not ready.", param="video_id")
    if (elsewhere := call.fault("redirect")) is not None:
        return Response(302, b"", headers=[(b"location", elsewhere.location.encode())])
    if variant == "thumbnail":
        return ranged(call, await world.renderer.poster(job.item, world.options), "image/jpeg")
    return ranged(call, await world.renderer.video(job.item, world.options), "video/mp4")


def own_job(world: World, account: Account, name: str) -> Job:
    """A video of the account.

    Raises:
        HostError: 404.
    """
    job = world.jobs.find(name)
    if job is None or job.account is not account or job.kind != "openai":
        raise HostError(404, "not_found", f"Video with id '{name[:64]}' not found.", param="video_id")
    return job


def shown(world: World, job: Job) -> dict[str, Any]:
    """The video object."""
    now = world.clock.now()
    status = STATES[job.state(now)]
    span = (job.ends_at or math.inf) - job.created_at
    progress = 100 if status == "completed" else min(99, int(100 * (now - job.created_at) / span)) if span > 0 else 0
    failed = {"code": job.fail_reason, "message": "The video could not be made."}
    return {
        "id": job.name,
        "object": "video",
        "model": job.model_key,
        "status": status,
        "progress": progress,
        "created_at": int(job.created_at),
        "completed_at": int(job.ends_at) if status == "completed" and job.ends_at is not None else None,
        "expires_at": None,
        "prompt": job.prompt,
        "size": job.item.ratio,
        "seconds": f"{job.item.seconds:g}",
        "remixed_from_video_id": None,
        "error": failed if status == "failed" else None,
    }
