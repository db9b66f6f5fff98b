"""What comes in and goes out at ``/videos``."""

import math
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.generation import Generation, State
from flow2api.domain.waiting_line import Turn

Status = Literal["queued", "in_progress", "completed", "failed"]
"""OpenAI's only words; a client takes any other for an end."""

_STATUS: dict[State, Status] = {
    State.QUEUED: "queued",
    State.RUNNING: "in_progress",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
    State.CANCELLED: "failed",
}
_STANDARD_SIZES = ((1280, 720), (720, 1280), (1792, 1024), (1024, 1792))
_USUAL_SECONDS = 8
_LONGEST_WAIT_MS = 30_000
"""A turn may come sooner than was estimated."""


class VideoIn(msgspec.Struct):
    """The fields of a video request that this door reads itself."""

    prompt: str
    model: str | None = None


class VideoReference(msgspec.Struct):
    """Another video, by its id."""

    id: str


class FollowUpIn(msgspec.Struct):
    """The fields of a request that builds on another video."""

    prompt: str
    model: str | None = None
    video: VideoReference | None = None


class VideoFault(msgspec.Struct, frozen=True):
    """Why there is no video."""

    code: str
    message: str


class VideoMetadata(msgspec.Struct, frozen=True):
    """Where new-api and LobeChat look for the result."""

    url: str


class VideoOut(msgspec.Struct, frozen=True):
    """OpenAI's video object, every key always there, and where the result is."""

    id: str
    model: str
    status: Status
    progress: int
    created_at: int
    completed_at: int | None
    expires_at: int | None
    prompt: str
    size: str
    seconds: str
    remixed_from_video_id: str | None
    error: VideoFault | None
    object: str = "video"
    url: str | None = None
    metadata: VideoMetadata | None = None
    warnings: tuple[str, ...] = ()
    queue_position: int | None = None
    estimated_start_s: int | None = None


def video_out(
    generation: Generation, catalog: ModelCatalog, link: Callable[[str], str], turn: Turn | None = None
) -> VideoOut:
    """The object for one generation.

    Args:
        link: Gives the address of a media by its id.
        turn: Where it stands in the waiting line, if it waits.
    """
    starts_in_s = None if turn is None else turn.starts_in_s
    status = _STATUS[generation.state]
    done = status == "completed"
    spec = catalog.spec(generation.spec_name)
    url = link(generation.results[0]) if done and generation.results else None
    fault = generation.fault if status == "failed" else None
    seconds = generation.seconds or (spec.seconds if spec else None) or _USUAL_SECONDS
    return VideoOut(
        id=generation.id,
        model=generation.model,
        status=status,
        progress=generation.progress,
        created_at=int(generation.created_at.timestamp()),
        completed_at=_unix(generation.ended_at) if done else None,
        expires_at=_unix(generation.expires_at),
        prompt=generation.prompt,
        size=nearest_standard_size(generation.size or (str(spec.size) if spec else "")),
        seconds=str(seconds),
        remixed_from_video_id=generation.parent_id,
        error=VideoFault(fault.code, fault.message) if fault else _unexplained(status),
        url=url,
        metadata=VideoMetadata(url) if url else None,
        warnings=generation.warnings,
        queue_position=None if turn is None else turn.position,
        estimated_start_s=None if starts_in_s is None else math.ceil(starts_in_s),
    )


def nearest_standard_size(size: str) -> str:
    """The one of OpenAI's four sizes that is nearest to ``WxH``: strict clients know no other."""
    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        return "720x1280"
    w, h = int(width), int(height)
    nearest = min(_STANDARD_SIZES, key=lambda s: (abs(s[0] / s[1] - w / h) > abs(s[1] / s[0] - w / h), abs(s[0] - w)))
    return f"{nearest[0]}x{nearest[1]}"


def poll_after_ms(generation: Generation, interval_s: float, turn: Turn | None = None) -> int:
    """How long a client does well to wait before it asks again.

    One that waits for its turn changes nothing before that comes.

    We ask upstream every ``interval_s`` at best, so more often brings nothing; before the second half there is little
    to see.
    """
    if turn is not None and turn.starts_in_s is not None:
        return min(max(int(turn.starts_in_s * 1000), 1000), _LONGEST_WAIT_MS)
    factor = 1 if generation.progress >= 50 else 2
    return min(max(int(interval_s * factor * 1000), 1000), 15_000)


def _unexplained(status: Status) -> VideoFault | None:
    return VideoFault("generation_failed", "The generation failed.") if status == "failed" else None


def _unix(instant: Any) -> int | None:
    return None if instant is None else int(instant.timestamp())
