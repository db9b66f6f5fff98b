"""Answers in the shape of the 2026-06 era: media and workflows; the poll carries no URL."""

from collections.abc import Sequence
from typing import Any

from flow2api.simulator import wire_seed
from flow2api.simulator.clock import rfc3339
from flow2api.simulator.ids import new_uuid
from flow2api.simulator.jobs import STATUS_PREFIX, Job, State
from flow2api.simulator.media import MediaItem

MODES = {
    "t2v": "VIDEO_GENERATION_MODE_TEXT_TO_VIDEO",
    "r2v": "VIDEO_GENERATION_MODE_REFERENCE_TO_VIDEO",
    "i2v": "VIDEO_GENERATION_MODE_IMAGE_TO_VIDEO",
    "upscale": "VIDEO_GENERATION_MODE_UPSAMPLE_VIDEO",
    "extend": "VIDEO_GENERATION_MODE_EXTEND_VIDEO",
}
"""Only the first name was captured; the others follow its pattern."""
FAILURE_WORDS = {"PUBLIC_ERROR_IP_INPUT_IMAGE": "IP_PROHIBITED"}
"""``failureReasons`` has words of its own; one pair was captured, the rest drops the prefix."""


def pictures(results: Sequence[tuple[MediaItem, str]], project: str, batch: str) -> dict[str, Any]:
    """The answer to a picture call, from each result and its link."""
    media, workflows = [], []
    for item, url in results:
        workflow = new_uuid()
        generated = wire_seed.picture(item, url) | {"workflowId": workflow, "mediaId": item.key}
        image = {"generatedImage": generated, "dimensions": {"width": item.width, "height": item.height}}
        media.append({"name": item.name, "workflowId": workflow, "image": image})
        workflows.append(workflow_row(workflow, project, item, batch))
    return {"media": media, "workflows": workflows}


def workflow_row(workflow: str, project: str, item: MediaItem, batch: str) -> dict[str, Any]:
    """The workflow that a result belongs to."""
    created = rfc3339(item.created_at, digits=6)
    metadata = {
        "displayName": title(item.prompt),
        "createTime": created,
        "updateTime": created,
        "primaryMediaId": item.key,
        "batchId": batch,
    }
    return {"name": workflow, "projectId": project, "metadata": metadata}


def title(prompt: str) -> str:
    """A short name made from a prompt."""
    return " ".join(prompt.split()[:5]).capitalize() or "Untitled"


def submitted(jobs: Sequence[Job], credits_left: int) -> dict[str, Any]:
    """The answer to a submit."""
    return {
        "remainingCredits": credits_left,
        "workflows": [workflow_row(job.workflow, job.project, job.item, job.batch) for job in jobs],
        "media": [media(job, job.waiting_state, "") for job in jobs],
    }


def polled(entries: Sequence[Any], credits_left: int) -> dict[str, Any]:
    """The answer to a poll, from its encoded media."""
    return {"media": entries, "remainingCredits": credits_left}


def media(job: Job, state: State, url: str) -> dict[str, Any]:
    """One job as a media; the link is left out, as upstream does since 2026-05-21."""
    item = job.item
    status: dict[str, Any] = {"mediaGenerationStatus": STATUS_PREFIX + state}
    if state == "FAILED":
        word = FAILURE_WORDS.get(job.fail_reason, job.fail_reason.removeprefix("PUBLIC_ERROR_"))
        status |= {"error": {"code": 3, "message": job.fail_reason}, "failureReasons": [word]}
    control = {
        "videoModelName": item.model,
        "videoGenerationMode": MODES.get(job.kind, MODES["t2v"]),
        "videoAspectRatio": wire_seed.RATIO["video"] + item.ratio,
    }
    generated = {
        "seed": item.seed,
        "prompt": item.prompt,
        "model": item.model,
        "aspectRatio": wire_seed.RATIO["video"] + item.ratio,
    }
    video: dict[str, Any] = {"generatedVideo": generated, "dimensions": {"length": f"{item.seconds:g}s"}}
    if state == "SUCCESSFUL":
        video["operation"] = {"name": job.name}
    return {
        "name": item.name,
        "projectId": job.project,
        "workflowId": job.workflow,
        "workflowStepId": "CAE",
        "mediaMetadata": {
            "createTime": rfc3339(item.created_at),
            "mediaTitle": title(item.prompt),
            "visibility": "FILTERED" if state == "FAILED" else "PRIVATE",
            "requestData": {"videoGenerationRequestData": {"videoModelControlInput": control}},
            "mediaStatus": status,
        },
        "video": video,
    }


entry_of = media
