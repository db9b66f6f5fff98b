"""A run as the page shows it: how far it is, what came of it, what can be done with that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext, retold
from flow2api.adapters.console.playground.follow_ups import PAGE, FollowUp, follow_ups
from flow2api.domain.generation import Generation, Phase, State
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.usecases.run_in_playground import OPERATORS, PlaygroundRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One picture or video that came of a run.

    Attributes:
        path: Where its bytes are, for who is signed in.
        preview: Where a small picture of it is.
        follow_ups: What can be made of it.
    """

    id: str
    is_video: bool
    path: str
    preview: str
    file_name: str
    width: int | None
    height: int | None
    size_bytes: int
    expires_at: datetime | None
    follow_ups: tuple[FollowUp, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of the things that happen on the way; ``state`` is ``ok``, ``now`` or empty for what is to come."""

    words: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One generation of a run.

    Attributes:
        state: The key of how it is shown.
        position: Its place in the waiting line; None when it does not wait.
        fault: Why there is no result, in words.
    """

    id: str
    state: str
    is_over: bool
    progress: int
    attempts: int
    account: str
    position: int | None
    steps: tuple[Step, ...]
    fault: str
    fault_code: str
    warnings: tuple[str, ...]
    took_s: float | None
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of the operator."""

    id: str
    model: str
    prompt: str
    is_video: bool
    started_at: datetime
    is_over: bool
    parts: tuple[Part, ...]

    @property
    def done(self) -> int:
        """How many of its parts have a result."""
        return sum(part.state == "done" for part in self.parts)

    @property
    def state(self) -> str:
        """How it is shown as a whole: by its slowest part, and by its best one once all have ended."""
        ranks = ("running", "retrying", "queued", "done", "failed", "cancelled")
        states = {part.state for part in self.parts}
        return next((one for one in ranks if one in states), "cancelled")

    @property
    def progress(self) -> int:
        """In percent, over all parts."""
        return sum(part.progress for part in self.parts) // max(1, len(self.parts))

    @property
    def first(self) -> Result | None:
        """What stands for it among others."""
        return next((result for part in self.parts for result in part.results), None)


async def run_view(doors: ConsoleDoors, run: PlaygroundRun) -> Run:
    """A run with everything that the page tells of it."""
    parts = [await _part(doors, one) for one in run.generations]
    first = run.generations[0] if run.generations else None
    return Run(
        id=run.id,
        model=first.model if first else "",
        prompt=first.prompt if first else "",
        is_video=first is not None and first.kind is MediaKind.VIDEO,
        started_at=run.started_at,
        is_over=run.is_over,
        parts=tuple(parts),
    )


async def run_views(doors: ConsoleDoors, runs: Sequence[PlaygroundRun]) -> tuple[Run, ...]:
    """Several of them."""
    return tuple([await run_view(doors, run) for run in runs])


async def _part(doors: ConsoleDoors, one: Generation) -> Part:
    account = None if one.account_id is None else doors.account_of(one.account_id)
    turn = doors.results.turn(one.id)
    found = [await doors.ingest.own(media_id, OPERATORS) for media_id in one.results]
    ended = one.ended_at
    return Part(
        id=one.id,
        state=_state(one),
        is_over=one.state.is_final,
        progress=one.progress,
        attempts=one.attempts,
        account="" if account is None else account.name or account.email or str(account.id),
        position=None if turn is None else turn.position,
        steps=() if one.state.is_final else _steps(one),
        fault="" if one.fault is None or one.state is State.CANCELLED else retold(one.fault.message),
        fault_code="" if one.fault is None else one.fault.code,
        warnings=tuple(map(retold, one.warnings)),
        took_s=None if ended is None else (ended - one.created_at).total_seconds(),
        results=tuple([await result_view(doors, media) for media in found if media is not None]),
    )


async def result_view(doors: ConsoleDoors, media: Media) -> Result:
    """A result with where it is and what can be made of it."""
    is_video = media.kind is MediaKind.VIDEO
    return Result(
        id=media.id,
        is_video=is_video,
        path=f"{PAGE}/media/{media.id}",
        preview=preview_path(media.id),
        file_name=media.file_name,
        width=media.width,
        height=media.height,
        size_bytes=media.size_bytes,
        expires_at=media.expires_at,
        follow_ups=tuple(await follow_ups(doors, media)),
    )


def preview_path(media_id: str) -> str:
    """Where the small picture of a media is."""
    return f"/console/media/{media_id}/preview"


def _state(one: Generation) -> str:
    if one.state is State.RUNNING and one.attempts > 1:
        return "retrying"
    return {
        State.QUEUED: "queued",
        State.RUNNING: "running",
        State.COMPLETED: "done",
        State.FAILED: "failed",
        State.CANCELLED: "cancelled",
    }[one.state]


def _steps(one: Generation) -> tuple[Step, ...]:
    phases = [Phase.LEASING, Phase.UPLOADING, Phase.POLLING, Phase.STORING]
    if not one.inputs:
        phases.remove(Phase.UPLOADING)
    order = list(Phase)
    now = order.index(_SHOWN_AS.get(one.phase, one.phase)) if one.phase is not None else -1
    if one.state is State.QUEUED:
        now = order.index(Phase.LEASING)
    states = ["ok" if order.index(phase) < now else "now" if order.index(phase) == now else "" for phase in phases]
    return tuple(Step(words=_phase_words(phase), state=state) for phase, state in zip(phases, states, strict=True))


_SHOWN_AS = {Phase.AUTHENTICATING: Phase.LEASING, Phase.SUBMITTING: Phase.POLLING}
"""Phases that pass too quickly to be told apart, and the one that a picture is made in."""


def _phase_words(phase: Phase) -> str:
    return {
        Phase.LEASING: gettext("Account chosen"),
        Phase.UPLOADING: gettext("Pictures sent"),
        Phase.POLLING: gettext("Generating"),
        Phase.STORING: gettext("Stored"),
    }[phase]
