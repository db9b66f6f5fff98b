"""Joining a video and its extension (Flow, 2026-03 on)."""

import base64

import msgspec

from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.calls_videos import book, owned_job, stage
from flow2api.simulator.checks import bearer_account, generating_account, owned_media, read_body
from flow2api.simulator.errors import CallError
from flow2api.simulator.ids import VIDEO, media_name, new_uuid
from flow2api.simulator.jobs import STATUS_PREFIX, Job
from flow2api.simulator.media import MediaItem
from flow2api.simulator.request_bodies import Concatenate, ConcatInput, PollConcatenation
from flow2api.simulator.world import World

CONCATENATE = msgspec.json.Decoder(Concatenate)
POLL = msgspec.json.Decoder(PollConcatenation)


async def concatenate(world: World, call: Call) -> Response:
    """Starts to join videos in their order."""
    account = generating_account(world, call)
    inputs = read_body(call, CONCATENATE).inputVideos
    sources = owned_media(world, account, [entry.mediaGenerationId for entry in inputs], None)
    if len(sources) < 2 or any(source.kind != "video" for source in sources):
        raise CallError(400, message="Invalid value at 'inputVideos': two videos or more are needed.")
    clips = tuple(clip_length(entry, source) for entry, source in zip(inputs, sources, strict=True))
    key, now, options = new_uuid(), world.clock.now(), world.options
    first = sources[0]
    item = MediaItem(
        key=key,
        name=media_name(options.era, VIDEO, first.project, key),
        account=account,
        project=first.project,
        kind="video",
        created_at=now,
        prompt=first.prompt,
        seed=first.seed,
        ratio=first.ratio,
        width=first.width,
        height=first.height,
        seconds=sum(clips),
        sources=sources,
        role="join",
        clip_s=clips,
    )
    job = Job(
        name=new_uuid(),
        item=item,
        account=account,
        project=first.project,
        kind="concat",
        model_key="",
        prompt=first.prompt,
        price=0,
        created_at=now,
        active_at=now + options.concatenation_s * options.pending_share,
        ends_at=now + options.concatenation_s,
    )
    stage(world, call, [job])
    book(world, account, [job])
    world.record.submits += 1
    return json_response({"operation": {"operation": {"name": job.name}}})


def clip_length(entry: ConcatInput, source: MediaItem) -> float:
    """Seconds of an input that are used.

    Raises:
        CallError: 400 when its offsets are no times, the wrong way round, or outside of the video (how upstream takes
            the last is not known).
    """
    try:
        start, end = (float(offset.removesuffix("s")) for offset in (entry.startTimeOffset, entry.endTimeOffset))
    except ValueError as error:
        raise CallError(400, message="Invalid value at 'inputVideos': an offset is not a duration.") from error
    if not 0 <= start < end <= source.seconds:
        raise CallError(400, message="Invalid value at 'inputVideos': an offset is out of range.")
    return end - start


async def poll(world: World, call: Call) -> Response:
    """Where a join is; its end carries a link or the bytes."""
    account = bearer_account(world, call)
    job = owned_job(world, account, read_body(call, POLL).operation.operation.name)
    now = world.clock.now()
    job.settle(now)
    state = job.state(now)
    answer = {"status": STATUS_PREFIX + state}
    if state == "SUCCESSFUL" and not call.fault("no_url"):
        if world.options.concatenation_answer == "encoded":
            content = await world.renderer.video(job.item, world.options)
            answer["encodedVideo"] = base64.b64encode(content).decode()
        else:
            answer["outputUri"] = world.links.storage("video", job.item.key, now + world.options.url_lifetime_s)
    return json_response(answer)
