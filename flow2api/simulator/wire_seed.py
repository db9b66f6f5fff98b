"""Answers in the shape of the seed era (Flow, 2025-11 to 2026-02): operations, and URLs in the poll."""

from collections.abc import Sequence
from typing import Any

from flow2api.simulator.jobs import STATUS_PREFIX, Job, State
from flow2api.simulator.media import MediaItem

RATIO = {"image": "IMAGE_ASPECT_RATIO_", "video": "VIDEO_ASPECT_RATIO_"}
MEDIA_TYPE = "type.googleapis.com/google.internal.labs.aisandbox.v1.Media"


def pictures(results: Sequence[tuple[MediaItem, str]], project: str, batch: str) -> dict[str, Any]:
    """The answer to a picture call, from each result and its link."""
    return {"media": [{"name": item.name, "image": {"generatedImage": picture(item, url)}} for item, url in results]}


def picture(item: MediaItem, url: str) -> dict[str, Any]:
    """One generated picture; without its link when that is empty."""
    entry = {
        "seed": item.seed,
        "mediaGenerationId": item.name,
        "mediaVisibility": "PRIVATE",
        "prompt": item.prompt,
        "modelNameType": item.model,
        "fifeUrl": url,
        "aspectRatio": RATIO["image"] + item.ratio,
    }
    return entry if url else {key: value for key, value in entry.items() if key != "fifeUrl"}


def submitted(jobs: Sequence[Job], credits_left: int) -> dict[str, Any]:
    """The answer to a submit."""
    return {"operations": [operation(job, job.waiting_state, "") for job in jobs], "remainingCredits": credits_left}


def polled(entries: Sequence[Any], credits_left: int) -> dict[str, Any]:
    """The answer to a poll, from its encoded operations."""
    return {"operations": entries, "remainingCredits": credits_left}


def operation(job: Job, state: State, url: str) -> dict[str, Any]:
    """One job; a successful one carries its link unless that is empty."""
    inner: dict[str, Any] = {"name": job.name}
    entry: dict[str, Any] = {"operation": inner, "sceneId": job.scene, "status": STATUS_PREFIX + state}
    if state == "FAILED":
        inner["error"] = {"code": 3, "message": job.fail_reason}
    if state == "SUCCESSFUL":
        item = job.item
        video = {
            "seed": item.seed,
            "mediaGenerationId": item.name,
            "prompt": item.prompt,
            "model": item.model,
            "isLooped": False,
            "mediaVisibility": "PRIVATE",
            "aspectRatio": RATIO["video"] + item.ratio,
        }
        links = {"fifeUrl": url, "servingBaseUri": url} if url else {}
        inner["metadata"] = {"@type": MEDIA_TYPE, "name": item.name, "video": video | links}
        entry["mediaGenerationId"] = item.name
    return entry


entry_of = operation
